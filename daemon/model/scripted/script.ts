import * as v from 'valibot';
import { StopReason, type Usage } from '../../../protocol/report.ts';
import { LIMITS } from '../../core/limits.ts';
import { ok, refuse, type Result } from '../../core/result.ts';
import { formatPath, listProblems } from '../../core/schema-problems.ts';
import { parseToml } from '../../support/parse-toml.ts';
import { fillProblems } from './fill.ts';
import { type JsonObject, toJsonObject } from './json-value.ts';

/** One answer of the scripted model, or one failure. */
export type ScriptStep = {
  /** The step is passed over unless this matches the last user text or tool result. */
  readonly when: RegExp | null;
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly name: string; readonly arguments: JsonObject }[];
  /** Before each piece of the answer, the first one too. */
  readonly delayMs: number;
  /** Bytes of a piece; null: each block comes in one. */
  readonly chunkBytes: number | null;
  readonly usage: Partial<Usage>;
  readonly failure:
    | { readonly kind: 'status'; readonly status: number }
    | { readonly kind: 'disconnect' }
    | null;
  readonly stopReason: StopReason;
};

export type Script = {
  readonly steps: readonly ScriptStep[];
  /** After the last step comes the first. */
  readonly loop: boolean;
};

const whole = (least: number, most: number, unit: string) =>
  v.pipe(
    v.number(`a whole number of ${unit} from ${least} to ${most}`),
    v.check(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      `a whole number of ${unit} from ${least} to ${most}`,
    ),
  );
const tokens = v.optional(whole(0, 1_000_000_000, 'tokens'));

const Step = v.strictObject({
  when: v.optional(v.string()),
  text: v.optional(v.string(), ''),
  reasoning: v.optional(v.string(), ''),
  tool_calls: v.optional(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.minLength(1)),
        arguments: v.optional(v.record(v.string(), v.unknown()), {}),
      }),
    ),
    [],
  ),
  delay_ms: v.optional(whole(0, LIMITS.scriptDelayMs, 'milliseconds'), 0),
  chunk_bytes: v.optional(whole(1, LIMITS.scriptBytes, 'bytes')),
  usage: v.optional(
    v.strictObject({
      input_total: tokens,
      cache_read: tokens,
      cache_write: tokens,
      output: tokens,
    }),
    {},
  ),
  error: v.optional(
    v.union(
      [v.literal('disconnect'), v.strictObject({ status: whole(400, 599, 'an HTTP status') })],
      '"disconnect" or { status = 400 to 599 }',
    ),
  ),
  stop_reason: v.optional(StopReason),
});

const ScriptTable = v.strictObject({
  steps: v.pipe(v.array(Step), v.minLength(1, 'at least one [[steps]]')),
  loop: v.optional(v.boolean(), false),
});

/** Pure. Every problem of the script is listed: `line:column` or the key, and what was expected. */
export function parseScript(text: string): Result<Script, readonly string[]> {
  const toml = parseToml(text);
  if (!toml.ok) return refuse([`${toml.error.line}:${toml.error.column} ${toml.error.says}`]);
  const parsed = v.safeParse(ScriptTable, toml.value);
  if (!parsed.success)
    return refuse(
      listProblems(ScriptTable, parsed.issues, 'toml').map(({ path, says }) =>
        `${formatPath(path)} ${says}`.trim(),
      ),
    );
  const problems: string[] = [];
  const steps = parsed.output.steps.map((step, index) =>
    toStep(step, (key, says) => problems.push(`steps[${index}]${key} ${says}`)),
  );
  return problems.length === 0 ? ok({ steps, loop: parsed.output.loop }) : refuse(problems);
}

type StepTable = v.InferOutput<typeof Step>;

function toStep(step: StepTable, report: (key: string, says: string) => void): ScriptStep {
  const calls = step.tool_calls.map((call, index) => {
    const json = toJsonObject(call.arguments);
    if (!json.ok) report(`.tool_calls[${index}].arguments${json.error.at}`, json.error.says);
    return { name: call.name, arguments: json.ok ? json.value : {} };
  });
  for (const says of fillProblems([step.text, step.reasoning, calls])) report('', says);
  if (typeof step.error === 'object' && hasAnswer(step))
    report(
      '.error',
      'with a status takes no answer: text, reasoning, tool_calls, usage, stop_reason',
    );
  return {
    when: step.when === undefined ? null : toPattern(step.when, report),
    text: step.text,
    reasoning: step.reasoning,
    calls,
    delayMs: step.delay_ms,
    chunkBytes: step.chunk_bytes ?? null,
    usage: toUsage(step.usage),
    failure: toFailure(step.error),
    stopReason: step.stop_reason ?? (calls.length > 0 ? 'tool_calls' : 'end'),
  };
}

function hasAnswer(step: StepTable): boolean {
  const said = step.text !== '' || step.reasoning !== '' || step.tool_calls.length > 0;
  return said || step.stop_reason !== undefined || Object.keys(step.usage).length > 0;
}

function toPattern(source: string, report: (key: string, says: string) => void): RegExp | null {
  try {
    return new RegExp(source);
  } catch (error) {
    report('.when', `is not a regular expression: ${error instanceof Error ? error.message : ''}`);
    return null;
  }
}

function toUsage(usage: StepTable['usage']): Partial<Usage> {
  return {
    ...(usage.input_total === undefined ? {} : { inputTotal: usage.input_total }),
    ...(usage.cache_read === undefined ? {} : { cacheRead: usage.cache_read }),
    ...(usage.cache_write === undefined ? {} : { cacheWrite: usage.cache_write }),
    ...(usage.output === undefined ? {} : { output: usage.output }),
  };
}

function toFailure(error: StepTable['error']): ScriptStep['failure'] {
  if (error === undefined) return null;
  if (error === 'disconnect') return { kind: 'disconnect' };
  return { kind: 'status', status: error.status };
}
