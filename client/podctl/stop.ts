import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { Unreachable } from '../errors.ts';
import type { PodClient } from '../pod-client.ts';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export type StopOptions = { readonly pod: string; readonly now: boolean; readonly json: boolean };

/** A graceful stop waits for the run's end; the daemon itself gives up on that before this. */
const GRACEFUL_MS = 15 * 60_000;
const NOW_MS = 15_000;
/** From the answer to the end of the process: it closes its sockets and its store. */
const END_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** Stops a Pod and waits until its process is gone, so that the next one can begin at once. Answers the exit code. */
export async function stop(terminal: Terminal, options: StopOptions): Promise<number> {
  const { pod, now, json } = options;
  await using client = await connect(pod, terminal);
  const status = await client.call('GetStatus', {});
  const process = await findProcess(status.pid);
  if (status.run !== undefined && !now) {
    const hint = `waiting for run ${status.run.id} to end (podctl stop ${pod} --now cancels it)\n`;
    await terminal.err.write(terminal.err.style.dim(hint));
  }
  await askToStop(client, now);
  await waitForEnd(process, pod);
  const told = json ? JSON.stringify({ stopped: true, pod: status.pod, pid: status.pid }) : '';
  await terminal.out.write(json ? `${told}\n` : `${status.pod} has stopped\n`);
  return EXIT.ok;
}

async function askToStop(client: PodClient, now: boolean): Promise<void> {
  try {
    const mode = now ? 'now' : 'graceful';
    await client.call('Shutdown', { mode }, { limitMs: now ? NOW_MS : GRACEFUL_MS });
  } catch (error) {
    // Somebody else stopped it first: whether it ends is looked at next.
    if (!(error instanceof Unreachable && error.reason === 'lost')) throw error;
  }
}

type FoundProcess = { readonly pid: number; readonly startedAt: string };

async function waitForEnd(found: FoundProcess | null, pod: string): Promise<void> {
  const end = Date.now() + END_MS;
  while (found !== null && (await findProcess(found.pid))?.startedAt === found.startedAt) {
    if (Date.now() > end)
      throw new Unreachable(
        'late',
        `the Pod ${pod} said that it stops, but its process ${found.pid} still runs after ${END_MS} ms; its log may say why`,
      );
    await setTimeout(LOOK_EVERY_MS);
  }
}

/** A process by its number and start, which no other one shares. Null when it is gone, or only waits to be reaped. */
async function findProcess(pid: number): Promise<FoundProcess | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in brackets may hold anything; what follows the last one is numbers.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state] = fields;
  const startedAt = fields[19];
  if (startedAt === undefined || state === 'Z' || state === 'X') return null;
  return { pid, startedAt };
}
