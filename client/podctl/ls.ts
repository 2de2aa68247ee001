import * as v from 'valibot';
import type { Allocation, Liveness } from '../../protocol/registry.ts';
import { connect } from '../connect.ts';
import { openLivenessCheck } from '../holder-liveness.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { PodError } from '../pod-error.ts';
import { readRegistry } from '../registry.ts';
import { type ListedPod, renderPodTable } from './render/pod-table.ts';
import { oneLine, showName, styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type LsOptions = { readonly format: 'text' | 'json' };

/** Lists all Pods that the registry has, and asks each what it does. One that does not answer is shown as that. */
export async function lsCommand(shell: Shell, { format }: LsOptions): Promise<number> {
  const registry = await readRegistry(shell);
  const rows = (registry.table?.allocations ?? []).toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
  const check = await openLivenessCheck();
  const end = performance.now() + CLIENT_LIMITS.listedAllMs;
  const pods = await eachAtMost(
    CLIENT_LIMITS.listedAtOnce,
    rows,
    async (row) => await look(row, await check(row), end),
  );
  const { out, err, env } = shell;
  if (format === 'json') {
    out.write(`${JSON.stringify(pods)}\n`);
    return EXIT.finished;
  }
  if (pods.length === 0) {
    out.write(`no Pod runs: nobody is in the registry ${showName(registry.path)}\n`);
    return EXIT.finished;
  }
  out.write(renderPodTable(pods, styleFor(out, env), columnsOf(shell)));
  for (const { problem } of pods) if (problem !== null) err.write(`podctl: ${problem}\n`);
  return EXIT.finished;
}

/** What is known of a Pod; `--json` prints it. */
type SeenPod = ListedPod &
  Pick<
    Allocation,
    'pid' | 'epoch' | 'socket' | 'store' | 'deny' | 'delegatedFrom' | 'claimedAt' | 'version'
  > & {
    readonly phase: string | null;
    readonly liveness: Liveness;
    /** What is wrong with it and what to do, for a person. */
    readonly problem: string | null;
  };

async function look(row: Allocation, liveness: Liveness, end: number): Promise<SeenPod> {
  const isAsked = liveness !== 'dead' && performance.now() < end;
  const answer = isAsked ? await ask(row, end) : null;
  const { pod, pid, epoch, socket, store, allow, deny, delegatedFrom, claimedAt, version } = row;
  const facts = { pid, epoch, socket, store, allow, deny, delegatedFrom, claimedAt, version };
  if (answer !== null && answer.kind === 'told') {
    const { state, phase = null, turnCount, occupancy, uptimeMs } = answer.status;
    // Its word is better proof than a look at its process.
    const told = { pod, state, phase, liveness: 'live', turns: turnCount, occupancy } as const;
    return { ...told, ...facts, ageMs: uptimeMs, problem: null };
  }
  return {
    pod,
    state: isAsked ? 'unreachable' : liveness === 'dead' ? 'dead' : 'not asked',
    phase: null,
    liveness,
    turns: null,
    occupancy: null,
    ...facts,
    ageMs: liveness === 'dead' ? null : Math.max(0, Date.now() - claimedAt),
    problem: describeProblem(row, liveness, answer?.says ?? null),
  };
}

/** The part of a status that is shown. A daemon of another version may say more, or in other words. */
const Told = v.object({
  pod: v.string(),
  pid: v.number(),
  state: v.string(),
  phase: v.optional(v.string()),
  turnCount: v.number(),
  occupancy: v.object({ tokens: v.number(), limit: v.optional(v.number()) }),
  uptimeMs: v.number(),
});

type Answer =
  | { readonly kind: 'told'; readonly status: v.InferOutput<typeof Told> }
  | { readonly kind: 'silent'; readonly says: string };

/** `end` is of the clock that `performance` has; nothing is waited for after it. */
async function ask({ pod, pid, socket }: Allocation, end: number): Promise<Answer> {
  const limits = (): { readonly deadlineMs: number } => {
    const leftMs = Math.ceil(end - performance.now());
    return { deadlineMs: Math.max(1, Math.min(CLIENT_LIMITS.listedMs, leftMs)) };
  };
  try {
    await using client = await connect(socket, limits());
    const status = v.safeParse(Told, await client.request('GetStatus', {}, limits()));
    if (!status.success) return { kind: 'silent', says: `what it answers is no status` };
    // The next Pod of that name, or of that place, is not the one in the row.
    if (status.output.pod !== pod || status.output.pid !== pid)
      return {
        kind: 'silent',
        says: `${status.output.pod} (pid ${status.output.pid}) answers at its socket ${socket}`,
      };
    return { kind: 'told', status: status.output };
  } catch (error) {
    if (error instanceof PodError) return { kind: 'silent', says: error.message };
    throw error;
  }
}

/** Whoever serves at a socket may say anything, at any length. */
const SAYS_UNITS = 400;

function describeProblem(
  { pod, pid }: Allocation,
  liveness: Liveness,
  says: string | null,
): string {
  const who = `${showName(pod)} (pid ${pid})`;
  if (liveness === 'dead')
    return `${who} is dead; the next podd that starts takes back what it owned`;
  if (says === null) return `${who} was not asked: others took too long to answer`;
  const life = liveness === 'live' ? 'lives' : 'can’t be seen from here';
  return `${who} ${life} and does not answer: ${oneLine(showName(says), SAYS_UNITS)}; it keeps what it owns, its podd.log says more`;
}

function columnsOf({ out }: Shell): number | null {
  return out.isTerminal ? (out.columns ?? null) : null;
}

/** Does `work` with each, at most `atOnce` at a time. The answers are in the order of `items`. */
async function eachAtMost<T, R>(
  atOnce: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of left) answers[i] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}
