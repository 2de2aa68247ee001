import type { Delta, Numbered } from '../../protocol/events.ts';

export const EPOCH = 7;

/** A numbered event that says which one it is. */
export function numbered(turn: number): Numbered {
  return { event: 'turn_start', data: { runId: 'r', turn } };
}

export function textDelta(offset: number, text: string, block = 1): Delta {
  return { event: 'text_delta', data: { block, offset, text } };
}
