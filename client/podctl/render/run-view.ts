import type { EventData } from '../../../protocol/events.ts';
import type { PodEvent } from '../../pod-client.ts';
import type { Output } from '../shell.ts';
import { describeCompacted, describeFailed } from './compaction-text.ts';
import { oneLine, type Style } from './style.ts';

const ARGUMENT_UNITS = 80;
const SUMMARY_UNITS = 120;

export type RunViewOptions = {
  readonly out: Output;
  readonly err: Output;
  readonly outStyle: Style;
  readonly errStyle: Style;
};

/**
 * Draws one run: the answer's text on stdout as it comes, what the agent does on stderr, so that a pipe gets the text
 * alone. Deltas may be dropped for a slow reader; `text_done` then brings what is missing, and nothing is shown twice.
 */
export class RunView {
  readonly #options: RunViewOptions;
  /** UTF-16 units of each text block that are on the screen. */
  readonly #shown = new Map<number, number>();
  /** Something is on the line that the cursor is in, by stdout. */
  #midLine = false;

  constructor(options: RunViewOptions) {
    this.#options = options;
  }

  /** What a person needs not see is passed over. */
  show(event: PodEvent): void {
    if (event.event === 'text_delta')
      this.#showText(event.data.block, event.data.offset, event.data.text);
    else if (event.event === 'text_done') this.#endText(event.data.block, event.data.text);
    else if (event.event === 'tool_call_done') this.#note(describeCall(event.data));
    else if (event.event === 'tool_result') this.#showResult(event.data);
    else if (event.event === 'retry') this.#retry(event.data);
    else if (event.event === 'compaction_start') this.#remark('compacting …');
    else if (event.event === 'compaction_done') this.#remark(describeCompacted(event.data));
    else if (event.event === 'compaction_failed') this.#write(describeFailed(event.data));
    else if (event.event === 'notification' && event.data.level !== 'info')
      this.#note(`! ${event.data.message}`);
  }

  /** The cursor is at the start of a line after it. */
  endLine(): void {
    if (this.#midLine) this.#options.out.write('\n');
    this.#midLine = false;
  }

  /** The Pod was started again: its blocks are numbered from 1, and what was half shown is not gone on with. */
  forget(): void {
    this.#shown.clear();
    this.endLine();
  }

  #endText(block: number, text: string): void {
    this.#showText(block, 0, text);
    this.endLine();
    this.#shown.delete(block);
  }

  /** What stands on the screen can't be taken back; the next attempt is told whole. */
  #retry({ reason, delayMs, discarded }: EventData<'retry'>): void {
    for (const block of discarded) this.#shown.delete(block);
    this.endLine();
    this.#note(`! ${reason}; the answer begins again in ${delayMs} ms`);
  }

  #showText(block: number, offset: number, text: string): void {
    const shown = this.#shown.get(block) ?? 0;
    // A gap: pieces were dropped. What comes after them waits for the whole text.
    if (offset > shown || offset + text.length <= shown) return;
    const fresh = text.slice(shown - offset);
    this.#shown.set(block, offset + text.length);
    this.#options.out.write(this.#options.outStyle.clean(fresh));
    this.#midLine = !fresh.endsWith('\n');
  }

  #showResult({ summary, isError }: EventData<'tool_result'>): void {
    const { errStyle } = this.#options;
    const line = oneLine(summary, SUMMARY_UNITS);
    this.#write(isError ? errStyle.red(`  ✗ ${line}`) : errStyle.dim(`  ${line}`));
  }

  #remark(text: string): void {
    this.#write(this.#options.errStyle.dim(text));
  }

  #note(text: string): void {
    this.#write(oneLine(text, ARGUMENT_UNITS + SUMMARY_UNITS));
  }

  #write(line: string): void {
    // A pipe gets the text as it is; only a screen needs a line of its own for this.
    if (this.#options.out.isTerminal) this.endLine();
    this.#options.err.write(`${line}\n`);
  }
}

/** `→ Read src/total.js`: the tool and its first argument that is a text. */
function describeCall({ name, arguments: json }: EventData<'tool_call_done'>): string {
  const argument = firstText(json);
  return argument === undefined ? `→ ${name}` : `→ ${name} ${oneLine(argument, ARGUMENT_UNITS)}`;
}

function firstText(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.values(value).find((part): part is string => typeof part === 'string');
  } catch {
    return undefined;
  }
}
