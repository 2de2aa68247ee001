import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const WORDS = 'word '.repeat(20_000);

describe('signals', () => {
  test.each([['SIGTERM'], ['SIGINT']] as const)(
    'START-4: a subscriber that reads nothing does not keep %s waiting',
    async (signal) => {
      await using pod = new TempPod({
        script: `loop = true\n[[steps]]\ntext = "${WORDS}"\nchunk_bytes = 50\n`,
      });
      await pod.start();
      using idler = await pod.client();
      await idler.call('Subscribe');
      idler.socket.pause();
      using client = await pod.client();
      // More than the socket between the two holds.
      for (let n = 0; n < 3; n += 1) await client.call('Run', { input: 'go' });
      client.send('{"jsonrpc":"2.0","id":1,"method":"Run","params":{"input":"go"}}\n');
      const begun = performance.now();
      pod.signal(signal);
      expect(await pod.exit()).toBe(0);
      expect(performance.now() - begun).toBeLessThan(deadline(5_000));
    },
  );

  test('START-4 START-3: SIGHUP begins a new log where the old one was moved away, and stops nothing', async () => {
    await using pod = new TempPod({ script: 'loop = true\n[[steps]]\ntext = "hello"\n' });
    await pod.start();
    const path = join(pod.state, 'podd.log');
    const read = (name: string): string => readFileSync(name, 'utf8');
    await until(() => read(path).includes('the Pod serves'), 'the first line');
    using client = await pod.client();
    await client.call('Run', { input: 'go' });
    renameSync(path, `${path}.moved`);
    pod.signal('SIGHUP');
    await until(() => {
      try {
        return read(path) === '';
      } catch {
        return false;
      }
    }, 'the new file');
    await client.call('Run', { input: 'go' });
    await until(() => read(path).includes('a run ended'), 'a line in the new file');
    expect(read(`${path}.moved`)).toContain('the Pod serves');
    expect(read(path)).not.toContain('the Pod serves');
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
  });
});
