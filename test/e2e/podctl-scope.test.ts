import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';

const PODCTL = new URL('../../dist/podctl.js', import.meta.url).pathname;
const SCRIPT = 'loop = true\n[[steps]]\ntext = "done"\n';

/** Rejects unless podctl ends with 0. */
async function podctl(pod: TempPod, ...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PODCTL, ...argv], {
    env: pod.env(),
    timeout: deadline(20_000),
  });
  return stdout;
}

async function listed(pod: TempPod): Promise<unknown> {
  return JSON.parse(await podctl(pod, 'ls', '--json'));
}

describe('podctl with the registry of real Pods', () => {
  test('CLI-2 SCOPE-6 SCOPE-11: ls and scope follow Pods that live, hang, die and stop', async () => {
    await using a = new TempPod({ script: SCRIPT, name: 'a' });
    await using b = new TempPod({ script: SCRIPT, name: 'b', registry: a.registry });
    expect(await listed(a)).toEqual([]);
    await a.start();
    await b.start();
    await podctl(a, 'run', a.socket, 'go');

    // The second one's runtime folder is another: it is found by its row.
    expect(await listed(a)).toMatchObject([
      { pod: 'a', state: 'idle', liveness: 'live', turns: 1, pid: a.pid, socket: a.socket },
      { pod: 'b', state: 'idle', liveness: 'live', turns: 0, pid: b.pid, socket: b.socket },
    ]);
    const text = await podctl(a, 'scope');
    expect(text).toContain(`registry ${a.registry} (moved there by PODD_SCOPE_REGISTRY)`);
    expect(text).toContain(`write ${a.workspace}\n`);
    expect(text).toContain(`write ${b.workspace}\n`);
    expect(JSON.parse(await podctl(a, 'scope', '--json'))).toMatchObject({
      registry: a.registry,
      allocations: [
        { pod: 'a', epoch: a.ready?.epoch, store: join(a.state, 'db'), liveness: 'live' },
        { pod: 'b', epoch: b.ready?.epoch, store: join(b.state, 'db'), liveness: 'live' },
      ],
    });

    b.signal('SIGSTOP');
    expect(await listed(a)).toMatchObject([
      { pod: 'a', state: 'idle' },
      { pod: 'b', state: 'unreachable', liveness: 'live' },
    ]);
    b.signal('SIGCONT');
    expect(await listed(a)).toMatchObject([{ pod: 'a' }, { pod: 'b', state: 'idle' }]);

    await b.kill9();
    expect(await listed(a)).toMatchObject([
      { pod: 'a', state: 'idle' },
      { pod: 'b', state: 'dead', liveness: 'dead', turns: null },
    ]);
    expect(await podctl(a, 'scope')).toContain('b  dead, pid');

    // Who gives its own scope back takes out the dead as well.
    await podctl(a, 'stop', a.name);
    expect(await a.exit()).toBe(0);
    expect(await listed(a)).toEqual([]);
  });
});
