import { setTimeout } from 'node:timers/promises';
import { BareNode } from './bare-node.ts';
import { PodHome } from './bench-pod.ts';
import { ClaudeServer } from './claude-server.ts';
import type { Bench, Reading } from './figure.ts';
import { median } from './median.ts';
import { memoryOf } from './memory-of.ts';
import { PodClient } from './pod-client.ts';

const IDLE_MS = 1_500;
const RUNS = 3;
const PODS = 50;
const STARTED_AT_ONCE = 5;

/** SPEED-2. */
export async function measureMemory(bench: Bench): Promise<readonly Reading[]> {
  return [...(await measureResident(bench)), ...(await measureMany(bench))];
}

/** A bare process, a Pod, and a Pod that has talked to Claude, side by side. */
async function measureResident({ quick, signal }: Bench): Promise<Reading[]> {
  await using server = await ClaudeServer.start(signal);
  const bare: number[] = [];
  const idle: number[] = [];
  const used: number[] = [];
  const samples = quick ? 1 : 5;
  for (let sample = 0; sample < samples; sample += 1) {
    await using home = new PodHome();
    await using claude = PodHome.claude(server.url);
    await using node = new BareNode();
    const pod = home.start();
    const worker = claude.start();
    await Promise.all([node.line(signal), pod.line(signal), worker.line(signal)]);
    await server.plan({ calls: 0, path: '' }, signal);
    using client = await PodClient.open(claude.socket(), signal);
    for (let run = 0; run < RUNS; run += 1) await client.call('Run', { input: 'go' }, signal);
    await setTimeout(IDLE_MS, undefined, { signal });
    bare.push(memoryOf(node.pid).resident);
    idle.push(memoryOf(pod.pid).resident);
    used.push(memoryOf(worker.pid).resident);
  }
  const baseline = median(bare);
  return [
    { figure: 'idleResident', baseline, podd: median(idle), samples },
    { figure: 'usedResident', baseline, podd: median(used), samples },
  ];
}

/**
 * So many that live at the same time. They start a few at once: a crowd that asks for the registry's lock in the same
 * moment is not what is measured here, and on a slow machine the last of it would wait too long.
 */
async function measureMany({ quick, signal }: Bench): Promise<Reading[]> {
  await using home = new PodHome();
  const pids: number[] = [];
  const samples = quick ? STARTED_AT_ONCE : PODS;
  while (pids.length < samples) {
    const pods = Array.from({ length: STARTED_AT_ONCE }, (_, index) =>
      home.start(`p${pids.length + index}`),
    );
    await Promise.all(pods.map((pod) => pod.line(signal)));
    pids.push(...pods.map(({ pid }) => pid));
  }
  await setTimeout(IDLE_MS, undefined, { signal });
  const all = pids.map(memoryOf);
  const own = all.map((memory) => memory.private);
  const also = { resident: median(all.map(({ resident }) => resident)) };
  return [
    { figure: 'fiftyLargest', baseline: null, podd: Math.max(...own), samples, also },
    { figure: 'fiftyMedian', baseline: null, podd: median(own), samples, also },
  ];
}
