import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { TempPod } from '../support/temp-pod.ts';

type Told = { readonly content?: string; readonly isError: boolean };

const CAP = 2_000;
const LINES = 300;
const BIG = Array.from({ length: LINES }, (_, at) => `line ${at} äöü and some more of it\n`).join(
  '',
);
const WHERE = /\n\[cut: (\d+) more bytes; the whole can be read in (\/[^\]\n]+)\]$/;

function readStep(path: string, offset = 0): string {
  return `[[steps]]
[[steps.tool_calls]]
name = "Read"
arguments.file_path = ${JSON.stringify(path)}
arguments.offset = ${offset}
[[steps]]
text = "done"
`;
}

const FIRST = readStep('{{workspace}}/big.txt');

function cappedPod(): TempPod {
  const pod = new TempPod({
    script: FIRST,
    worker: `[worker.tool_output]\ndefault_max_bytes = ${CAP}`,
  });
  pod.file('big.txt', BIG);
  return pod;
}

/** Lets the Pod run once and answers what its one call came to, and the notices. */
async function runOnce(pod: TempPod): Promise<Told & { readonly notices: string[] }> {
  using client = await pod.client();
  await client.call('Subscribe');
  await client.call('Run', { input: 'go' });
  const [told, ...more] = client.events.filter(({ event }) => event === 'tool_result');
  expect(more).toEqual([]);
  const notices = client.events
    .filter(({ event }) => event === 'notification')
    .map(({ data }) => String(data['message']));
  return { ...(told?.data as unknown as Told), notices };
}

describe('kept outputs', () => {
  test('LOOP-4 PATH-3 INV-12: the last line of a cut output says where the whole is, and Read shows the rest of it, also after a kill -9', async () => {
    await using pod = cappedPod();
    await pod.start();
    const { content = '', notices } = await runOnce(pod);
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(CAP);
    expect(notices).toEqual([expect.stringContaining('was cut')]);
    const [mark = '', gone, path = ''] = WHERE.exec(content) ?? [];
    const shown = content.slice(0, content.length - mark.length);
    const whole = readFileSync(path, 'utf8');
    expect(whole.startsWith(shown)).toBe(true);
    expect(Buffer.byteLength(whole)).toBe(Buffer.byteLength(shown) + Number(gone));
    expect(whole.trimEnd().split('\n')).toHaveLength(LINES);
    expect(dirname(path)).toBe(join(pod.state, 'spool'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await pod.kill9();

    pod.script(`${FIRST}${readStep(path, LINES - 20)}`);
    await pod.start();
    const rest = await runOnce(pod);
    expect(rest.isError).toBe(false);
    for (let at = LINES - 20; at < LINES; at += 1)
      expect(rest.content).toContain(`${at + 1}\tline ${at} äöü`);
    expect(rest.content).not.toContain('[cut:');
    expect(readdirSync(dirname(path))).toHaveLength(1);
    using client = await pod.client();
    await expectSound(pod, client);
  });

  test('LOOP-4 PATH-3: a spool that can’t be written takes nothing from the call: its line and the log say why', async () => {
    await using pod = cappedPod();
    await pod.start();
    renameSync(join(pod.state, 'spool'), join(pod.state, 'moved'));
    const { content = '', isError } = await runOnce(pod);
    expect(isError).toBe(false);
    expect(content).toContain('line 0 äöü');
    expect(content).toMatch(
      /\n\[cut: \d+ more bytes; the whole was not kept: no such file or directory\]$/,
    );
    using client = await pod.client();
    await expectSound(pod, client);
    const log = readFileSync(join(pod.state, 'podd.log'), 'utf8');
    expect(log).toContain('could not be kept whole');
    expect(readdirSync(join(pod.state, 'moved'))).toEqual([]);
  });
});
