import type { Item } from '../../protocol/items.ts';
import { CheckedItems, type RequestShape } from './checked-items.ts';
import { missingDirectives } from './directives.ts';
import type { Calibration } from './entry.ts';
import { HistorySizes } from './history-sizes.ts';
import { buildRequestItems } from './request-items.ts';

export type Proposal = {
  readonly items: readonly Item[];
  readonly pruneMark: number;
  readonly summary: string;
};

/** What a new history is held against (COMP-10). Tokens by one calibration, before and after. */
export type Bar = {
  readonly shape: RequestShape;
  readonly calibration: Calibration;
  readonly tokensBefore: number;
  readonly threshold: number | null;
  readonly directives: readonly string[];
};

export type Judgement =
  | { readonly ok: true; readonly tokensAfter: number }
  | {
      readonly ok: false;
      readonly cause: 'not_smaller' | 'invalid';
      readonly problems: readonly string[];
    };

/** Pure. Whether a new history may take the place of the old one; the problems are told to whoever wrote its summary. */
export function judgeCompaction({ items, pruneMark, summary }: Proposal, bar: Bar): Judgement {
  const { tokensPerByte, constantTokens } = bar.calibration;
  const bytes = HistorySizes.of(items).bytesAt(items.length, pruneMark);
  const tokensAfter = Math.ceil(constantTokens + bytes * tokensPerByte);
  const sizes: string[] = [];
  if (tokensAfter >= bar.tokensBefore)
    sizes.push(
      `with it the history has ${tokensAfter} tokens, and had ${bar.tokensBefore} before: write less, mark fewer files`,
    );
  else if (bar.threshold !== null && tokensAfter > bar.threshold)
    sizes.push(
      `with it the history has ${tokensAfter} tokens, at most ${bar.threshold} are possible: write less, mark fewer files`,
    );
  if (sizes.length > 0) return { ok: false, cause: 'not_smaller', problems: sizes };
  const lost = missingDirectives(bar.directives, summary).map(
    (directive) => `this directive of the user’s is missing from it: ${directive}`,
  );
  const problems = [...lost, ...requestProblems(items, bar.shape)];
  return problems.length === 0
    ? { ok: true, tokensAfter }
    : { ok: false, cause: 'invalid', problems };
}

/** A result without its call is left out by the builder: what is valid then has lost something. */
function requestProblems(items: readonly Item[], shape: RequestShape): string[] {
  const calls = new Set<string>();
  const orphans: string[] = [];
  for (const item of items) {
    if (item.type === 'tool_call') calls.add(item.callId);
    if (item.type === 'tool_result' && !calls.has(item.callId))
      orphans.push(`the result of ${item.callId} has lost its call`);
  }
  return [...orphans, ...new CheckedItems(shape).problemsOf(buildRequestItems(items, shape))];
}
