import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

/** Gone, or dead and only not buried yet by whoever traced it. */
function isDead(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return true;
  return ['Z', 'X'].includes(readFileSync(stat, 'utf8').split(') ').at(-1)?.[0] ?? '');
}

test('INV-6 LOG-13: a stop whose last step hangs in the kernel ends the process all the same, and says so', async () => {
  await using pod = new TempPod({ script: 'loop = true\n[[steps]]\ntext = "hello"\n' });
  // The folder that the daemon removes at its end is on a disk that takes a minute to answer.
  const slow = ['-e', 'trace=rmdir', '-e', 'inject=rmdir:delay_enter=60000000'];
  const { pid } = await pod.start(['strace', '-f', '-o', '/dev/null', ...slow]);
  {
    using client = await pod.client();
    await client.call('Run', { input: 'go' });
  }
  pod.signal('SIGTERM');
  await until(() => isDead(pid), 'the end of the process', LIMITS.shutdownNowMs + LIMITS.exitMs);
  expect(readFileSync(join(pod.state, 'podd.log'), 'utf8')).toContain('something hangs');
});
