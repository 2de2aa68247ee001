import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = '[[steps]]\ntext = "late"\ndelay_ms = 60000\n';

/** What systemd would hear: the arguments of each program, and the state of the Pod when it was told that it is ready. */
type Told = { readonly args: readonly string[]; readonly state?: string };

/** Stands in for systemd-notify, which is not on every machine. It asks the Pod's socket before it believes anything. */
const STUB = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const { connect } = require('node:net');
const args = process.argv.slice(2);
const tell = (state) => appendFileSync(TOLD, JSON.stringify({ args, state }) + '\\n');
if (process.env.NOTIFY_SOCKET !== '@systemd') process.exit(1);
if (!args.includes('READY=1')) tell();
else connect(SOCKET)
  .on('error', () => tell('nobody'))
  .on('data', (data) => { tell(JSON.parse(data).result.state); process.exit(); })
  .end('{"jsonrpc":"2.0","id":1,"method":"GetStatus"}\\n');
`;

/** A Pod under a systemd that keeps what it is told. */
async function watchedPod(env: Readonly<Record<string, string>> = {}): Promise<
  AsyncDisposable & {
    readonly pod: TempPod;
    readonly told: () => readonly Told[];
  }
> {
  const folder = await tempFolder();
  const file = join(folder.path, 'told');
  const PATH = `${folder.path}:${process.env['PATH'] ?? ''}`;
  const pod = new TempPod({ script: SCRIPT, env: { NOTIFY_SOCKET: '@systemd', PATH, ...env } });
  writeFileSync(file, '');
  writeFileSync(
    join(folder.path, 'systemd-notify'),
    STUB.replace('TOLD', JSON.stringify(file)).replace('SOCKET)', `${JSON.stringify(pod.socket)})`),
    { mode: 0o755 },
  );
  return {
    pod,
    told: () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Told),
    [Symbol.asyncDispose]: async () => {
      await pod[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('systemd', () => {
  test('START-3 INV-14: it is told that the Pod is ready when the socket answers, then what the Pod does, and that it stops', async () => {
    await using watched = await watchedPod();
    const { pod, told } = watched;
    const { pid } = await pod.start();
    await until(() => told().length > 0, 'the first word');
    expect(told()).toEqual([
      { args: ['--no-block', `--pid=${pid}`, 'READY=1', 'STATUS=waits for input'], state: 'idle' },
    ]);
    using client = await pod.client();
    client.send('{"jsonrpc":"2.0","id":1,"method":"Run","params":{"input":"go"}}\n');
    await until(() => told().length > 1, 'a status');
    expect(told()[1]?.args.at(-1)).toBe('STATUS=waits for the model');
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    expect(told().at(-1)?.args.slice(2)).toEqual(['STOPPING=1', 'STATUS=stops']);
  });

  test('START-3: it gets signs of life as often as it asks for them', async () => {
    await using watched = await watchedPod({ WATCHDOG_USEC: '1000000' });
    const { pod, told } = watched;
    await pod.start();
    const begun = performance.now();
    const signs = (): number => told().filter(({ args }) => args.includes('WATCHDOG=1')).length;
    await until(() => signs() >= 3, 'signs of life');
    expect(performance.now() - begun).toBeGreaterThan(1_000);
  });

  test('START-3: where its program is missing, the ready line tells all the same, and the log says so', async () => {
    await using folder = await tempFolder();
    const PATH = join(folder.path, 'empty');
    mkdirSync(PATH);
    await using pod = new TempPod({ script: SCRIPT, env: { NOTIFY_SOCKET: '@systemd', PATH } });
    await pod.start();
    const log = (): string => readFileSync(join(pod.state, 'podd.log'), 'utf8');
    await until(() => log().includes('there is no systemd-notify'), 'the line in the log');
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
  });

  test('START-3: the ready line says when the Pod runs as root, and only then', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const ready = await pod.start();
    expect('root' in ready).toBe(process.getuid?.() === 0);
    expect(ready.root ?? true).toBe(true);
  });
});
