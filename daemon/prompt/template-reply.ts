/**
 * The process that renders is not trusted: its template may have got out of the engine. What it says is taken for a
 * reply only if it is one.
 */
import * as v from 'valibot';
import { LIMITS } from '../core/limits.ts';
import { parseReference } from './reference.ts';
import type { TemplateReply } from './template-job.ts';

const Name = v.pipe(v.string(), v.check(isAssetName));
const Place = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)));
const Problem = v.strictObject({ asset: Name, line: Place, column: Place, says: v.string() });
const Reply = v.variant('kind', [
  v.strictObject({
    kind: v.literal('done'),
    text: v.pipe(v.string(), v.maxBytes(LIMITS.promptBytes)),
  }),
  v.strictObject({ kind: v.literal('needs'), assets: v.pipe(v.array(Name), v.minLength(1)) }),
  v.strictObject({
    kind: v.literal('refused'),
    problems: v.pipe(v.array(Problem), v.minLength(1)),
  }),
]);

/** Pure. Null for what is no reply. */
export function parseReply(line: string): TemplateReply | null {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return null;
  }
  const parsed = v.safeParse(Reply, raw);
  return parsed.success ? parsed.output : null;
}

/** A name that `parseReference` makes: what it makes of it with an ending is itself. */
function isAssetName(name: string): boolean {
  const parsed = parseReference(`${name}.md`, null);
  return parsed.ok && parsed.value === name;
}
