import { once } from 'node:events';
import { connect } from 'node:net';
import { BareNode } from './bare-node.ts';
import { PodHome } from './bench-pod.ts';
import type { Bench, Reading } from './figure.ts';
import type { LineProcess } from './line-process.ts';
import { median } from './median.ts';
import { PodClient } from './pod-client.ts';

/** Each run without tools is stored as six entries, and the session's start as one. */
const RUNS = 7;
const ENTRIES_MIN = 40;

const SCRIPT = 'loop = true\n[[steps]]\ntext = "It is a small answer, as they often are."\n';

/** SPEED-1: three processes in turn, each from its exec to its first line. */
export async function measureStart({ quick, signal }: Bench): Promise<readonly Reading[]> {
  await using stored = await storeSession(signal);
  const bare: number[] = [];
  const fresh: number[] = [];
  const resumed: number[] = [];
  const samples = quick ? 3 : 15;
  // The first of each only brings the files into the page cache.
  for (let sample = 0; sample <= samples; sample += 1) {
    const bareMs = await startBare(signal);
    const freshMs = await startPod(new PodHome(), signal);
    const again = new PodHome();
    again.copyState(stored);
    const resumedMs = await startPod(again, signal);
    if (sample === 0) continue;
    bare.push(bareMs);
    fresh.push(freshMs);
    resumed.push(resumedMs);
  }
  const baseline = median(bare);
  return [
    { figure: 'startFresh', baseline, podd: median(fresh), samples },
    { figure: 'startResumed', baseline, podd: median(resumed), samples },
  ];
}

async function toFirstLine(process: LineProcess, signal: AbortSignal): Promise<number> {
  const { at } = await process.line(signal);
  return at - process.execAt;
}

async function startBare(signal: AbortSignal): Promise<number> {
  await using bare = new BareNode();
  const ms = await toFirstLine(bare, signal);
  // It is a server, not only a process.
  const socket = connect(bare.socket);
  socket.write('ping\n');
  await once(socket, 'data', { signal });
  socket.destroy();
  return ms;
}

async function startPod(home: PodHome, signal: AbortSignal): Promise<number> {
  await using _home = home;
  return await toFirstLine(home.start(), signal);
}

/** A home whose Pod has stopped, with a session that real runs made. */
async function storeSession(signal: AbortSignal): Promise<PodHome> {
  const home = new PodHome(undefined, SCRIPT);
  try {
    const pod = home.start();
    await pod.line(signal);
    using client = await PodClient.open(home.socket(), signal);
    for (let run = 1; run <= RUNS; run += 1)
      await client.call('Run', { input: `What is the answer of run ${run}?` }, signal);
    const { result } = await client.call('GetStatus', {}, signal);
    const { sessionEntries } = result['log'] as { sessionEntries: number };
    if (sessionEntries < ENTRIES_MIN) throw new Error(`the session has ${sessionEntries} entries`);
    await pod.stop();
    return home;
  } catch (error) {
    await home[Symbol.asyncDispose]();
    throw error;
  }
}
