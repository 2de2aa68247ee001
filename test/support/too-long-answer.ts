import { Fault } from '../../daemon/core/fault.ts';
import type { ModelEvent } from '../../daemon/ports/model.ts';

/** What an adapter throws for a prompt that its provider calls too long, after these events of an answer. */
export async function* refuseTooLong(...events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  await Promise.resolve();
  yield* events;
  throw new Fault('provider_error', 'prompt is too long: 9 tokens > 8', {
    data: { status: 400, retryable: false, reason: 'prompt_too_long' },
  });
}

export const tooLong = (): AsyncGenerator<ModelEvent> => refuseTooLong();
