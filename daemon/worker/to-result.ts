import type { ToolCallItem, ToolResultItem } from '../../protocol/items.ts';
import { Cancelled } from '../core/cancel.ts';
import { LIMITS } from '../core/limits.ts';
import { refuse, type Result } from '../core/result.ts';
import { cutWithMark } from '../core/truncate.ts';
import type { KeptOutput } from '../ports/spool.ts';
import type { ToolOutcome } from '../ports/tool.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { trackCall } from './track-call.ts';
import type { WorkerPorts } from './worker-ports.ts';

/** A call's result, with what only clients are told. */
export type CallResult = {
  readonly item: ToolResultItem;
  readonly name: string;
  readonly truncated: boolean;
};

type Cut = ReturnType<typeof cutWithMark>;

/** Caps what a tool answers. Content that is cut is kept whole before, so that its last line says where. */
export async function toResult(
  ports: WorkerPorts,
  call: ToolCallItem,
  outcome: ToolOutcome,
  signal: AbortSignal,
): Promise<CallResult> {
  const isError = outcome.isError === true;
  const summary = cutWithMark(
    outcome.summary,
    isError ? LIMITS.errorTextBytes : LIMITS.resultSummaryBytes,
  );
  const content =
    outcome.content === undefined
      ? undefined
      : await capContent(ports, call, outcome.content, signal);
  return {
    name: call.name,
    truncated: summary.truncated || content?.truncated === true,
    item: {
      type: 'tool_result',
      callId: call.callId,
      summary: summary.text,
      ...(content === undefined ? {} : { content: content.text }),
      ...(isError ? { isError } : {}),
      ...(outcome.files === undefined ? {} : { files: [...outcome.files] }),
    },
  };
}

async function capContent(
  ports: WorkerPorts,
  call: ToolCallItem,
  content: string,
  signal: AbortSignal,
): Promise<Cut> {
  const bytesMax = ports.tools.contentBytesMax(call.name);
  if (Buffer.byteLength(content, 'utf8') <= bytesMax) return { text: content, truncated: false };
  const kept = await keepWhole(ports, call, content, signal);
  return cutWithMark(content, bytesMax, `; ${sayWhere(kept)}`);
}

function sayWhere(kept: Result<KeptOutput, string>): string {
  if (!kept.ok) return `the whole was not kept: ${kept.error}`;
  const { path, bytesGone } = kept.value;
  const what = bytesGone === 0 ? 'the whole' : `all but ${bytesGone} bytes of its middle`;
  return `${what} can be read in ${path}`;
}

/** Never rejects: the call has done its work, whatever becomes of its output. */
async function keepWhole(
  ports: WorkerPorts,
  call: ToolCallItem,
  text: string,
  signal: AbortSignal,
): Promise<Result<KeptOutput, string>> {
  const { name: tool, callId } = call;
  const message = 'an output that was cut could not be kept whole';
  try {
    const limit = { what: 'the disk', ms: LIMITS.spoolMs };
    const kept = await withDeadline(signal, limit, async (within) => {
      const work = trackCall(ports, call, ports.spool.keep({ tool, text }, within));
      return await waitOrAbandon(work, within, LIMITS.toolAbortMs);
    });
    if (!kept.ok) ports.log.warn(message, { tool, callId, why: kept.error });
    return kept;
  } catch (error) {
    if (!(error instanceof Cancelled)) {
      ports.log.error(message, { tool, callId, err: error });
      return refuse('for a reason of the daemon’s own; see its log');
    }
    const why = error.why.kind === 'deadline' ? error.message : 'cancelled';
    ports.log.warn(message, { tool, callId, why });
    return refuse(why);
  }
}
