import type { ModelEvent } from '../../ports/model.ts';
import { fill, type FillValues } from './fill.ts';
import { mapStrings } from './json-value.ts';
import type { ScriptStep } from './script.ts';

/** A step's answer with its placeholders filled in. */
export type Answer = {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly {
    readonly callId: string;
    readonly name: string;
    readonly arguments: string;
  }[];
};

/** `callNumber` makes the ids of the answer's calls. */
export function fillAnswer(step: ScriptStep, values: FillValues, callNumber: number): Answer {
  const filled = fill(step.text, values);
  return {
    reasoning: fill(step.reasoning, values),
    // An answer of nothing would leave nothing in the history, where the next step is read from.
    text: step.text !== '' && filled === '' ? '(empty)' : filled,
    calls: step.calls.map(({ name, arguments: table }, index) => ({
      callId: `call_${callNumber}_${index + 1}`,
      name,
      arguments: JSON.stringify(mapStrings(table, (text) => fill(text, values))),
    })),
  };
}

export function answerBytes(answer: Answer): number {
  const bytes = Buffer.byteLength(answer.reasoning) + Buffer.byteLength(answer.text);
  return answer.calls.reduce(
    (sum, call) => sum + Buffer.byteLength(call.name) + Buffer.byteLength(call.arguments),
    bytes,
  );
}

type BlockEvent = Exclude<ModelEvent, { kind: 'usage' | 'stopped' }>;

/** The blocks of an answer, piece by piece: reasoning, text, calls. */
export function* answerEvents(
  answer: Answer,
  chunkBytes: number | null,
): Generator<BlockEvent, void> {
  let block = 0;
  if (answer.reasoning !== '') {
    yield { kind: 'reasoningStarted', block };
    yield* deltas(block, answer.reasoning, chunkBytes);
    block += 1;
  }
  if (answer.text !== '') {
    yield { kind: 'textStarted', block };
    yield* deltas(block, answer.text, chunkBytes);
    block += 1;
  }
  for (const { callId, name, arguments: json } of answer.calls) {
    yield { kind: 'callStarted', block, callId, name };
    yield* deltas(block, json, chunkBytes);
    block += 1;
  }
}

/** The first half of an answer, broken off inside a block. */
export function* brokenEvents(
  answer: Answer,
  chunkBytes: number | null,
): Generator<BlockEvent, void> {
  const half = Math.ceil(answerBytes(answer) / 2);
  let sent = 0;
  for (const event of answerEvents(answer, chunkBytes ?? Math.max(1, half))) {
    if (sent >= half) return;
    yield event;
    if (event.kind === 'delta') sent += Buffer.byteLength(event.text);
  }
}

function* deltas(
  block: number,
  text: string,
  chunkBytes: number | null,
): Generator<BlockEvent, void> {
  for (const piece of chunkBytes === null ? [text] : splitUtf8(text, chunkBytes))
    yield { kind: 'delta', block, text: piece };
  yield { kind: 'blockEnded', block };
}

/** Pieces of at most `bytesMax` bytes, never cut inside a code point; one that is larger comes alone. */
export function* splitUtf8(text: string, bytesMax: number): Generator<string, void> {
  let piece = '';
  let bytes = 0;
  for (const character of text) {
    const more = Buffer.byteLength(character);
    if (piece !== '' && bytes + more > bytesMax) {
      yield piece;
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += more;
  }
  if (piece !== '') yield piece;
}
