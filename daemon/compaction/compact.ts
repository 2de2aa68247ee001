import { setMaxListeners } from 'node:events';
import type { Item, MessageItem } from '../../protocol/items.ts';
import { Cancelled } from '../core/cancel.ts';
import { type Bar, judgeCompaction } from '../core/compaction-check.ts';
import { layoutHistory, summaryOf } from '../core/compaction-layout.ts';
import { capDirectives, directivesOf } from '../core/directives.ts';
import { ledgerText } from '../core/ledger.ts';
import { LIMITS } from '../core/limits.ts';
import { measuredOf } from '../core/occupancy.ts';
import { calibrate } from '../core/tokens.ts';
import { cutWithMark } from '../core/truncate.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { shapeFor } from '../worker/request-shape.ts';
import type {
  CompactionEnd,
  CompactionJob,
  CompactorPorts,
  NewHistory,
  Paid,
} from './compaction-job.ts';
import { PrefixCompactor } from './prefix-compactor.ts';
import { WorkerCompactor } from './worker-compactor.ts';
import { type Drafted, toCancelled, type Writer } from './writer.ts';

/**
 * Makes the history that takes the place of the session's: summary, ledger, files, and the newest part as it is (COMP-6). What is
 * not smaller or not valid is asked for once more, then it has failed (COMP-10). Nothing is stored here but what it costs. Rejects
 * with a bug only.
 */
export async function compact(
  ports: CompactorPorts,
  job: CompactionJob,
  paid: Paid,
  signal: AbortSignal,
): Promise<CompactionEnd> {
  const limit = { what: 'the compactor', ms: LIMITS.compactorMs };
  try {
    return await withDeadline(signal, limit, async (within) => {
      // Each call of its turns listens to it, many at once; Node takes the eleventh for a leak.
      setMaxListeners(0, within);
      return await write(ports, job, paid, within);
    });
  } catch (error) {
    // Its own deadline, or a cancel, as it came upon something else than a request.
    if (error instanceof Cancelled) return toCancelled(error);
    throw error;
  }
}

async function write(
  ports: CompactorPorts,
  job: CompactionJob,
  paid: Paid,
  signal: AbortSignal,
): Promise<CompactionEnd> {
  const isPrefix = job.settings.strategy === 'prefix';
  let writer: Writer = isPrefix
    ? new PrefixCompactor(ports, job, paid)
    : new WorkerCompactor(ports, job, paid);
  let drafted = await writer.draft(signal);
  if (isPrefix && drafted.kind === 'failed' && drafted.isTooLong === true) {
    // The whole conversation does not fit with the question behind it; the worker's input has a bound.
    writer = new WorkerCompactor(ports, job, paid);
    drafted = await writer.draft(signal);
  }
  for (let attempt = 1; ; attempt += 1) {
    if (drafted.kind !== 'drafted') return drafted;
    const proposed = await propose(ports, job, drafted, signal);
    if (proposed.kind === 'done') return proposed;
    ports.log.warn('a summary can’t be used', { attempt, problems: proposed.problems });
    if (attempt > 1) {
      const { cause, problems } = proposed;
      return { kind: 'failed', cause, says: `the summary can't be used: ${problems.join('; ')}` };
    }
    drafted = await writer.redraft(proposed.problems, signal);
  }
}

type Proposed =
  | { readonly kind: 'done'; readonly history: NewHistory }
  | {
      readonly kind: 'wrong';
      readonly cause: 'not_smaller' | 'invalid';
      readonly problems: readonly string[];
    };

async function propose(
  { model, log }: CompactorPorts,
  job: CompactionJob,
  { summary: written, files }: Extract<Drafted, { readonly kind: 'drafted' }>,
  signal: AbortSignal,
): Promise<Proposed> {
  const { session, cut, threshold, children } = job;
  const measured = measuredOf(session);
  const calibration = calibrate(measured);
  const { summary, dropped } = capDirectives(written);
  const items = layoutHistory({
    summary,
    ledger: ledgerText({
      firstRequest: session.firstRequest ?? firstUserText(session.items),
      files: session.tracker.files(),
      decisions: [],
      children,
    }),
    autoReads: await files.read(log, signal),
    references: files.references,
    tail: [...currentRequest(job), ...session.items.slice(cut)],
  });
  const tailAt = items.length - (session.items.length - cut);
  const pruneMark = session.pruneMark <= cut ? 0 : tailAt + (session.pruneMark - cut);
  const bytes = session.sizes.bytesAt(session.sizes.length, session.pruneMark);
  const bar: Bar = {
    shape: shapeFor(model),
    calibration,
    tokensBefore: Math.ceil(calibration.constantTokens + bytes * calibration.tokensPerByte),
    threshold,
    directives: directivesOf(summaryOf(session.items) ?? ''),
  };
  // Before old directives make room for new ones: those are left out on purpose.
  const judged = judgeCompaction({ items, pruneMark, summary: written }, bar);
  if (!judged.ok) return { kind: 'wrong', cause: judged.cause, problems: judged.problems };
  const { tokensAfter } = judged;
  return {
    kind: 'done',
    history: { items, pruneMark, calibration, tokensAfter, directivesDropped: dropped },
  };
}

/** What the run that goes on, or can be resumed, was begun with: word for word, where it would only be summarised. */
function currentRequest({ session, cut, isRunToGoOn }: CompactionJob): Item[] {
  if (!isRunToGoOn || session.items.slice(cut).some(isUserMessage)) return [];
  const item = session.items.slice(0, cut).findLast(isUserMessage);
  if (item?.type !== 'message') return [];
  const { text, truncated } = cutWithMark(textOf(item), LIMITS.firstRequestBytes);
  return [truncated ? { ...item, content: [{ type: 'text', text }] } : item];
}

function isUserMessage(item: Item): boolean {
  return item.type === 'message' && item.role === 'user';
}

function textOf({ content }: MessageItem): string {
  return content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

function firstUserText(items: readonly Item[]): string | null {
  const first = items.find(isUserMessage);
  return first?.type === 'message' ? textOf(first) : null;
}
