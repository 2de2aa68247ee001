import type { RequestId } from '../../protocol/request.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { toRpcError } from './to-rpc-error.ts';

/**
 * One line for all answers of a batch; undefined when there are none. An answer that would take the line over what a
 * line may hold is replaced by `busy`: a hundred pages of history would not fit any memory.
 */
export function encodeBatch(answers: readonly object[]): string | undefined {
  if (answers.length === 0) return undefined;
  const parts: string[] = [];
  let bytes = 2;
  let tried = 0;
  for (const answer of answers) {
    // What does not fit costs the time of its encoding, too.
    let part = tried > 2 * LIMITS.lineBytes ? null : JSON.stringify(answer);
    const partBytes = part === null ? 0 : Buffer.byteLength(part) + 1;
    tried += partBytes;
    if (part === null || bytes + partBytes > LIMITS.lineBytes)
      part = JSON.stringify(refuse(answer));
    bytes += Buffer.byteLength(part) + 1;
    parts.push(part);
  }
  return `[${parts.join(',')}]\n`;
}

function refuse(answer: { readonly id?: RequestId }): object {
  const what = 'the answers of this batch fill a line: ask for this one alone';
  return { jsonrpc: '2.0', id: answer.id ?? null, error: toRpcError(new Fault('busy', what)) };
}
