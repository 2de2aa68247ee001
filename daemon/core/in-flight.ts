import type { Delta, Numbered } from '../../protocol/events.ts';
import type { InFlight } from '../../protocol/methods.ts';

type Piece = { kind: InFlight['kind']; text: string; callId?: string; name?: string };

/**
 * What is being streamed and not yet told whole: a projection of the events, so that a late client can draw it and
 * go on with the next delta. It is emptied by the events that tell the whole, and by those that drop it.
 */
export class InFlightView {
  readonly #blocks = new Map<number, Piece>();
  readonly #outputs = new Map<string, Piece>();

  applyDelta(delta: Delta): void {
    switch (delta.event) {
      case 'text_delta':
        this.#grow(delta.data.block, 'text', delta.data.text);
        return;
      case 'reasoning_delta':
        this.#grow(delta.data.block, 'reasoning', delta.data.text);
        return;
      case 'tool_call_args_delta':
        this.#grow(delta.data.block, 'tool_call', delta.data.json);
        return;
      case 'tool_output': {
        const { callId, text } = delta.data;
        const piece = this.#outputs.get(callId);
        if (piece === undefined) this.#outputs.set(callId, { kind: 'tool_output', text, callId });
        else piece.text += text;
        return;
      }
    }
  }

  apply(event: Numbered): void {
    if (event.event === 'tool_call_start') {
      const { block, callId, name } = event.data;
      this.#blocks.set(block, { kind: 'tool_call', text: '', callId, name });
    } else if (
      event.event === 'text_done' ||
      event.event === 'reasoning_done' ||
      event.event === 'tool_call_done'
    ) {
      this.#blocks.delete(event.data.block);
    } else if (event.event === 'retry') {
      for (const block of event.data.discarded) this.#blocks.delete(block);
    } else if (event.event === 'tool_result') {
      this.#outputs.delete(event.data.callId);
    } else if (event.event === 'run_end' || event.event === 'error') {
      this.#blocks.clear();
      this.#outputs.clear();
    }
  }

  /** Blocks in their order, then the outputs of running calls. */
  list(): InFlight[] {
    const blocks = [...this.#blocks].map(([block, piece]) => ({ block, offset: 0, ...piece }));
    return [...blocks, ...[...this.#outputs.values()].map((piece) => ({ offset: 0, ...piece }))];
  }

  #grow(block: number, kind: Piece['kind'], text: string): void {
    const piece = this.#blocks.get(block);
    if (piece === undefined) this.#blocks.set(block, { kind, text });
    else piece.text += text;
  }
}
