import type { Item } from '../../protocol/items.ts';
import { assertNever } from './assert.ts';
import { headLength, withoutBody } from './compaction-layout.ts';
import { CondensedSteps, type StepKind } from './condensed-steps.ts';
import { cutWithMark } from './truncate.ts';

const SEPARATOR = '\n\n';
/** What is left of a paragraph, its mark included: of what the user said more than of the rest. */
const STEP_BYTES = 200;
const USER_BYTES = 500;

/** `steps`: this paragraph is a line that stands for others. */
type Paragraph = {
  readonly kind: StepKind;
  readonly toolName: string;
  readonly text: string;
  readonly bytes: number;
  readonly steps?: CondensedSteps;
};

/**
 * What a compactor reads of a conversation (COMP-4): a paragraph an item, without arguments, contents and reasoning.
 * Where that is over `bytesMax` bytes of UTF-8 (200 or more) it is condensed, the oldest first and no more than needed;
 * whatever is gone, a mark says so. The summary of an earlier compaction is the last to be touched.
 */
export function conversationText(
  items: readonly Item[],
  bytesMax: number,
): { readonly text: string; readonly condensed: boolean } {
  const head = headLength(items);
  const all = items.flatMap((item, index) => paragraphOf(item, index < head));
  const summary = head > 0 ? all[0] : undefined;
  const rest = summary === undefined ? all : all.slice(1);
  const total = all.reduce((sum, { bytes }) => sum + bytes + SEPARATOR.length, -SEPARATOR.length);
  const excess = total - bytesMax;
  if (excess <= 0) return { text: joined(all), condensed: false };
  const draft = new Draft(rest, excess);
  draft.cut((kind) => kind !== 'user', STEP_BYTES);
  draft.countRuns();
  draft.cut((kind) => kind === 'user', USER_BYTES);
  draft.countOldest();
  if (summary === undefined) return { text: joined(draft.paragraphs), condensed: true };
  const cut = cutWithMark(summary.text, summary.bytes - Math.max(0, draft.excess));
  return { text: joined([cut, ...draft.paragraphs]), condensed: true };
}

/** Paragraphs that are together `excess` bytes too long. Each step ends as soon as they are not. */
class Draft {
  paragraphs: readonly Paragraph[];
  excess: number;

  constructor(paragraphs: readonly Paragraph[], excess: number) {
    this.paragraphs = paragraphs;
    this.excess = excess;
  }

  cut(concerns: (kind: StepKind) => boolean, bytesMax: number): void {
    this.paragraphs = this.paragraphs.map((paragraph) => {
      const isLong = concerns(paragraph.kind) && paragraph.bytes > bytesMax;
      if (this.excess <= 0 || !isLong) return paragraph;
      const { text } = cutWithMark(paragraph.text, bytesMax);
      const bytes = Buffer.byteLength(text);
      this.excess -= paragraph.bytes - bytes;
      return { ...paragraph, text, bytes };
    });
  }

  /** What the assistant did between two user messages becomes a line, the oldest of it first. */
  countRuns(): void {
    const kept: Paragraph[] = [];
    let at = 0;
    for (let next = this.paragraphs[at]; next !== undefined; next = this.paragraphs[at])
      if (this.excess <= 0 || next.kind === 'user') {
        kept.push(next);
        at += 1;
      } else {
        const { end, paragraphs } = this.#count(at, (kind) => kind !== 'user');
        for (const paragraph of paragraphs) kept.push(paragraph);
        at = end;
      }
    this.paragraphs = kept;
  }

  countOldest(): void {
    if (this.excess <= 0 || this.paragraphs.length === 0) return;
    const { end, paragraphs } = this.#count(0, () => true);
    this.paragraphs = [...paragraphs, ...this.paragraphs.slice(end)];
  }

  /** One line for the paragraphs from `start` on, as many as needed; they stay where the line would be longer. */
  #count(
    start: number,
    concerns: (kind: StepKind) => boolean,
  ): { readonly end: number; readonly paragraphs: readonly Paragraph[] } {
    const steps = new CondensedSteps();
    let bytesBefore = -SEPARATOR.length;
    let end = start;
    for (
      let next = this.paragraphs[end];
      next !== undefined && concerns(next.kind);
      next = this.paragraphs[end]
    ) {
      if (next.steps === undefined) steps.add(next.kind, next.toolName);
      else steps.addAll(next.steps);
      bytesBefore += next.bytes + SEPARATOR.length;
      end += 1;
      // The line itself is only made where it could do: a long conversation is gone through once.
      if (bytesBefore < this.excess) continue;
      if (bytesBefore - Buffer.byteLength(steps.line()) >= this.excess) break;
    }
    const line = paragraph('system', steps.line(), { steps });
    const saved = bytesBefore - line.bytes;
    if (saved <= 0) return { end, paragraphs: this.paragraphs.slice(start, end) };
    this.excess -= saved;
    return { end, paragraphs: [line] };
  }
}

function paragraphOf(item: Item, isHead: boolean): Paragraph[] {
  switch (item.type) {
    case 'message': {
      const text = item.content
        .map((part) => (part.type === 'text' ? part.text : part.refusal))
        .join('');
      switch (item.role) {
        case 'user':
          return [paragraph('user', `[User] ${text}`)];
        case 'assistant':
          return [paragraph('answer', `[Assistant] ${text}`)];
        case 'system':
          return [paragraph('system', `[System] ${isHead ? withoutBody(text) : text}`)];
        default:
          return assertNever(item.role, 'conversationText');
      }
    }
    case 'tool_call':
      return [paragraph('call', `[ToolCall] ${item.name}`, { toolName: item.name })];
    case 'tool_result':
      return [paragraph('result', `[ToolResult] ${item.summary}`)];
    case 'reasoning':
      return [];
    default:
      return assertNever(item, 'conversationText');
  }
}

function paragraph(
  kind: StepKind,
  text: string,
  more: { readonly toolName?: string; readonly steps?: CondensedSteps } = {},
): Paragraph {
  return { kind, toolName: '', text, bytes: Buffer.byteLength(text), ...more };
}

function joined(paragraphs: readonly { readonly text: string }[]): string {
  return paragraphs.map(({ text }) => text).join(SEPARATOR);
}
