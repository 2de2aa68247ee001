import type { ToolOutcome } from '../ports/tool.ts';

/** An expected failure, in words that tell a model what to do about it. */
export function failed(summary: string): ToolOutcome {
  return { summary, isError: true };
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
