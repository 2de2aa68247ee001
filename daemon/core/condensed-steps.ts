import { cutUtf8 } from './truncate.ts';

/** What one paragraph of a conversation is, for counting. A `call` has its tool's name. */
export type StepKind = 'user' | 'answer' | 'system' | 'call' | 'result';

/** No line is longer, whatever it counts: a text that holds nothing but one fits every bound. */
const LINE_BYTES = 120;
const NAME_BYTES = 32;
/** Tools that are counted by name; what else is called counts as other calls. */
const NAMES = 16;

/** Counts what is left out of a conversation, for the one line that stands in its place (COMP-4). */
export class CondensedSteps {
  readonly #named = new Map<string, number>();
  readonly #counts: Record<StepKind, number> = {
    user: 0,
    answer: 0,
    system: 0,
    call: 0,
    result: 0,
  };

  add(kind: StepKind, toolName: string): void {
    this.#counts[kind] += 1;
    if (kind === 'call') this.#addNamed(shortName(toolName), 1);
  }

  addAll(other: CondensedSteps): void {
    for (const kind of ['user', 'answer', 'system', 'call', 'result'] as const)
      this.#counts[kind] += other.#counts[kind];
    for (const [name, count] of other.#named) this.#addNamed(name, count);
  }

  /** `[12 steps condensed: 8 × Read, 3 × Edit, 1 answer]`; rare tools are not named where it would be too long. */
  line(): string {
    const named = [...this.#named].sort(([, a], [, b]) => b - a);
    for (let shown = named.length; shown >= 0; shown -= 1) {
      const line = this.#lineOf(this.#details(named.slice(0, shown)));
      if (Buffer.byteLength(line) <= LINE_BYTES) return line;
    }
    return this.#lineOf([]);
  }

  #addNamed(name: string, count: number): void {
    const before = this.#named.get(name);
    if (before !== undefined || this.#named.size < NAMES)
      this.#named.set(name, (before ?? 0) + count);
  }

  #lineOf(details: readonly string[]): string {
    const { user, answer, system, call } = this.#counts;
    const steps = answer + system + call + this.#lonelyResults;
    const what = [
      ...(user > 0 ? [counted(user, 'user message')] : []),
      ...(steps > 0 ? [counted(steps, 'step')] : []),
    ].join(' and ');
    return `[${what} condensed${details.length > 0 ? `: ${details.join(', ')}` : ''}]`;
  }

  #details(named: readonly (readonly [string, number])[]): string[] {
    const { answer, system, call } = this.#counts;
    const others = call - named.reduce((sum, [, count]) => sum + count, 0);
    const plain = [
      [others, named.length > 0 ? 'other call' : 'call'],
      [this.#lonelyResults, 'result'],
      [answer, 'answer'],
      [system, 'system message'],
    ] as const;
    return [
      ...named.map(([name, count]) => `${count} × ${name}`),
      ...plain.flatMap(([count, noun]) => (count > 0 ? [counted(count, noun)] : [])),
    ];
  }

  /** A call and its result are one step. Results whose calls are not among what is counted are their own. */
  get #lonelyResults(): number {
    return Math.max(0, this.#counts.result - this.#counts.call);
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function shortName(name: string): string {
  return cutUtf8(name.replaceAll(/\s+/g, ' '), NAME_BYTES);
}
