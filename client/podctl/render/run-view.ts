import type { EventData } from '../../../protocol/events.ts';
import type { RunReport } from '../../../protocol/report.ts';
import type { PodEvent } from '../../event-stream.ts';
import type { Style } from './style.ts';
import { oneLine } from './style.ts';

/** The model's words go to `out`, what happens around them to `err`. */
export type Shown = { readonly to: 'out' | 'err'; readonly text: string };

/** A line names a call's main argument up to here. */
const ARGUMENT_UNITS_MAX = 160;
const SUMMARY_UNITS_MAX = 240;
/** Arguments that say what a call is about, the best first. */
const MAIN_ARGUMENTS = ['file_path', 'path', 'command', 'pattern', 'query', 'name'];

type TextBlock = { text: string; shown: number };

/** Turns a run's events into what a person reads. It holds no stream and no clock. */
export class RunView {
  readonly #out: Style;
  readonly #err: Style;
  readonly #blocks = new Map<number, TextBlock>();
  #midLine = false;

  constructor(styles: { readonly out: Style; readonly err: Style }) {
    this.#out = styles.out;
    this.#err = styles.err;
  }

  show(event: PodEvent): Shown[] {
    switch (event.event) {
      case 'text_delta':
        return this.#grow(event.data);
      case 'text_done':
        return this.#finish(event.data);
      case 'tool_call_done':
        return this.#line(describeCall(event.data, this.#err));
      case 'tool_result':
        return this.#line(describeResult(event.data, this.#err));
      case 'retry':
        for (const block of event.data.discarded) this.#blocks.delete(block);
        return this.#line(describeRetry(event.data, this.#err));
      case 'notification': {
        const { level, message, source } = event.data;
        const text = this.#err.foreign(`${source}: ${message}`);
        return level === 'info' ? [] : this.#line(this.#err.yellow(`! ${text}`));
      }
      case 'run_end':
        return 'report' in event.data
          ? this.#line(this.#err.dim(describeReport(event.data.report)))
          : this.end();
      default:
        return [];
    }
  }

  /** Ends an open line of the answer: nothing more comes. */
  end(): Shown[] {
    if (!this.#midLine) return [];
    this.#midLine = false;
    return [{ to: 'out', text: '\n' }];
  }

  // A delta that does not fit what came before it follows lost ones: `text_done` then brings the rest.
  #grow({ block, offset, text }: EventData<'text_delta'>): Shown[] {
    const known = this.#block(block);
    if (offset !== known.text.length) return [];
    known.text += text;
    // Half of a surrogate pair waits for its other half.
    const whole = /[\uD800-\uDBFF]$/.test(known.text) ? known.text.length - 1 : known.text.length;
    return this.#speak(known, whole);
  }

  #finish({ block, text }: EventData<'text_done'>): Shown[] {
    const known = this.#block(block);
    known.text = text;
    const shown = [...this.#speak(known, text.length), ...this.end()];
    this.#blocks.delete(block);
    return shown;
  }

  #speak(block: TextBlock, end: number): Shown[] {
    const text = block.text.slice(block.shown, end);
    if (text === '') return [];
    block.shown = end;
    this.#midLine = !text.endsWith('\n');
    return [{ to: 'out', text: this.#out.foreign(text) }];
  }

  #line(text: string): Shown[] {
    return [...this.end(), { to: 'err', text: `${text}\n` }];
  }

  #block(number: number): TextBlock {
    const known = this.#blocks.get(number) ?? { text: '', shown: 0 };
    this.#blocks.set(number, known);
    return known;
  }
}

function describeCall(
  { name, arguments: json }: EventData<'tool_call_done'>,
  style: Style,
): string {
  const main = oneLine(style.foreign(mainArgument(json)), ARGUMENT_UNITS_MAX);
  return `→ ${style.bold(style.foreign(name))} ${main}`.trimEnd();
}

function mainArgument(json: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return json;
  }
  if (typeof parsed !== 'object' || parsed === null) return json;
  const texts = new Map(Object.entries(parsed).filter(([, value]) => typeof value === 'string'));
  const key = MAIN_ARGUMENTS.find((name) => texts.has(name));
  const text: unknown = key === undefined ? undefined : texts.get(key);
  return typeof text === 'string' ? text : texts.size === 0 && json === '{}' ? '' : json;
}

function describeResult(result: EventData<'tool_result'>, style: Style): string {
  const summary = oneLine(style.foreign(result.summary), SUMMARY_UNITS_MAX);
  if (result.isError) return style.red(`  ✗ ${summary}`);
  const change = result.name === 'Edit' ? describeChange(result.content ?? '', style) : [];
  return [style.dim(`  ${summary}`), ...change].join('\n');
}

/** The hunks of an edit, as the tool shows them to the model. */
function describeChange(hunks: string, style: Style): string[] {
  if (!hunks.startsWith('@@ ')) return [];
  return style
    .foreign(hunks)
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return `  ${style.green(line)}`;
      return line.startsWith('-') ? `  ${style.red(line)}` : `  ${style.dim(line)}`;
    });
}

function describeRetry({ attempt, delayMs, reason }: EventData<'retry'>, style: Style): string {
  const seconds = (delayMs / 1000).toFixed(1);
  const why = oneLine(style.foreign(reason), SUMMARY_UNITS_MAX);
  return style.yellow(
    `! the answer broke off (${why}); asked again in ${seconds} s, try ${attempt}`,
  );
}

const ENDINGS: Readonly<Record<RunReport['outcome'], string>> = {
  finished: 'finished',
  paused: 'paused, it waits for a decision',
  limit_reached: "stopped at the manifest's limit of turns",
  cancelled: 'cancelled',
};

function describeReport({ outcome, turns, usage }: RunReport): string {
  const count = turns === 1 ? '1 turn' : `${turns} turns`;
  return `${ENDINGS[outcome]} · ${count} · ${usage.inputTotal} tokens in, ${usage.output} out`;
}
