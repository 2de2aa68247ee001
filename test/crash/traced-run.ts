import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TempPod } from '../support/temp-pod.ts';
import { ONE_THREAD } from './death.ts';
import { STORY, writeWorkspace } from './story.ts';

/** One call to the kernel that succeeded. It began and ended at these lines of the trace. */
export type KernelCall = {
  readonly name: string;
  /** Its arguments as strace prints them, paths of descriptors included, quotes unescaped. */
  readonly text: string;
  readonly began: number;
  readonly ended: number;
};

const WRITES = ['write', 'pwrite64', 'writev', 'sendmsg', 'sendto'];
const TRACED = [
  ...[
    'fdatasync',
    'fsync',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'unlink',
    'unlinkat',
  ],
  ...['open', 'openat', 'mkdir', 'mkdirat', ...WRITES],
];

/** Has a Pod live through the story, with a subscriber, and answers what it asked of the kernel, in order. */
export async function traceStory(): Promise<Trace> {
  await using pod = new TempPod({ script: STORY.script, env: ONE_THREAD });
  writeWorkspace(pod, STORY.before);
  const path = join(pod.folder, 'trace');
  const calls = TRACED.map((name) => `?${name}`).join(',');
  await pod.start([
    'strace',
    ...[
      '-f',
      '-qq',
      '-y',
      '-s',
      '1000000',
      '-o',
      path,
      '-e',
      'signal=none',
      '-e',
      `trace=${calls}`,
    ],
  ]);
  using client = await pod.client();
  await client.call('Subscribe');
  await client.call('Run', { input: STORY.input, wait: 'accepted' });
  await client.event('run_end');
  await client.call('Shutdown');
  const end = await pod.exit();
  if (end !== 0) throw new Error(`the traced Pod ended with ${end}`);
  return new Trace(readFileSync(path, 'latin1'));
}

export class Trace {
  readonly calls: readonly KernelCall[];

  constructor(text: string) {
    this.calls = parseTrace(text);
  }

  /** The first call of that kind after another one ended. */
  first(names: readonly string[], text: RegExp, after?: KernelCall): KernelCall {
    const from = after?.ended ?? -1;
    const found = this.calls.find(
      (call) => call.began > from && names.includes(call.name) && text.test(call.text),
    );
    if (found === undefined) throw new Error(`no ${names.join()} of ${text} after line ${from}`);
    return found;
  }

  /** The sync that made the first entry that reads so durable. */
  stored(entry: RegExp): KernelCall {
    const write = this.first(
      WRITES,
      new RegExp(`^\\d+<[^>]*/level/(\\d+\\.log)>.*${entry.source}`, 's'),
    );
    const file = /\/level\/\d+\.log/.exec(write.text)?.[0] ?? '';
    return this.first(['fdatasync'], new RegExp(file.replaceAll('.', '\\.')), write);
  }

  /** The first write to a client that reads so. */
  told(line: RegExp): KernelCall {
    return this.first(WRITES, new RegExp(`^\\d+<socket:.*${line.source}`, 's'));
  }
}

function parseTrace(text: string): KernelCall[] {
  const calls: KernelCall[] = [];
  const unfinished = new Map<string, { name: string; text: string; began: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const begun = /^(\d+) +(\w+)\((.*)$/s.exec(line);
    const resumed = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/s.exec(line);
    const [, thread = '', name = '', rest = ''] = begun ?? [];
    if (begun !== null && rest.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { name, text: rest, began: at });
    } else if (begun !== null) {
      addCall(calls, { name, text: rest, began: at, ended: at });
    } else if (resumed !== null) {
      const [, of = '', end = ''] = resumed;
      const call = unfinished.get(of);
      unfinished.delete(of);
      if (call !== undefined) addCall(calls, { ...call, text: call.text + end, ended: at });
    }
  }
  return calls;
}

function addCall(calls: KernelCall[], call: KernelCall): void {
  if (/\) += -1 /.test(call.text)) return;
  calls.push({ ...call, text: call.text.replaceAll('\\"', '"') });
}
