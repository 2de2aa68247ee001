import { findPlace } from './find-place.ts';
import type { Judge, Question } from './judge.ts';
import { outsideScope, systemRefusal } from './refusals.ts';
import type { Refused } from './refusals.ts';

/** Why it could not be opened is told only if the place where it would lie may be read. */
export async function refuseUnopened(
  question: Omit<Question, 'path'>,
  judge: Judge,
  error: unknown,
): Promise<Refused> {
  const { asked } = question;
  const told = systemRefusal(asked, error);
  try {
    await using place = await findPlace(asked);
    const [next] = place?.names ?? [];
    if (place === null || next === undefined) return outsideScope(asked);
    const above = place.folderPath === '/' ? '' : place.folderPath;
    const path = next === '..' ? place.folderPath : `${above}/${next}`;
    return judge({ ...question, path }) ?? told;
  } catch (failure) {
    return systemRefusal(asked, failure);
  }
}
