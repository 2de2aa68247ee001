import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../protocol/status.ts';
import { Podctl } from '../support/podctl.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = `
loop = true
[[steps]]
when = "mend"
text = "I look first."
chunk_bytes = 3
[[steps.tool_calls]]
name = "Read"
arguments = { file_path = "{{workspace}}/a.txt" }
[[steps]]
when = "wrnog"
[[steps.tool_calls]]
name = "Edit"
arguments = { file_path = "{{workspace}}/a.txt", old_string = "wrnog", new_string = "right" }
[[steps]]
when = "^Edited"
text = "It is right now."
[[steps]]
when = "slowly"
text = "${'word '.repeat(200)}"
chunk_bytes = 5
delay_ms = 20
`;

describe('podctl with a real Pod', () => {
  test('CLI-2: run streams the text and shows the tools; the file is mended', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const file = pod.file('a.txt', 'this is wrnog\n');
    await pod.start();
    expect(await new Podctl(pod, 'run', pod.name, 'mend', 'it').ended).toEqual({
      code: 0,
      out: 'I look first.\nIt is right now.\n',
      err: expect.stringMatching(
        new RegExp(`^→ Read ${file}\\n  .+\\n→ Edit ${file}\\n  Edited .+\\n$`),
      ) as string,
    });
    expect(readFileSync(file, 'utf8')).toBe('this is right\n');
  });

  test('CLI-2: a single - reads the text from stdin; --json is the event stream', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    pod.file('a.txt', 'this is wrnog\n');
    await pod.start();
    const { code, out } = await new Podctl(pod, 'run', '--json', pod.name, '-').type('mend').ended;
    expect(code).toBe(0);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events[0]).toMatchObject({ event: 'run_start' });
    expect(events.at(-1)).toMatchObject({
      event: 'run_end',
      data: { outcome: 'finished', report: { text: 'It is right now.' } },
    });
  });

  test('EXIT-1: a script that has no step left fails the run: 1', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const { code, err } = await new Podctl(pod, 'run', pod.name, 'nothing matches').ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^the run failed: .*no step.*\(provider_error\)\n$/);
  });

  test('EXIT-1: worker.max_turns ends the run with limit_reached: 3', async () => {
    await using pod = new TempPod({ script: SCRIPT, worker: 'max_turns = 1' });
    pod.file('a.txt', 'this is wrnog\n');
    await pod.start();
    const { code, err } = await new Podctl(pod, 'run', pod.name, 'mend').ended;
    expect(code).toBe(3);
    expect(err).toMatch(/limit after 1 turn/);
  });

  test('CLI-2: Ctrl-C cancels the run: 4, the Pod is idle, and what was said stays', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const podctl = new Podctl(pod, 'run', pod.name, 'slowly');
    await until(() => podctl.out.includes('word'), 'the text begins');
    podctl.interrupt();
    const { code, out, err } = await podctl.ended;
    expect({ code, err }).toEqual({
      code: 4,
      err: 'podctl: cancelling the run; Ctrl-C again leaves it to itself\nthe run was cancelled\n',
    });
    expect(out).toMatch(/^(word )+/);
    const status = await new Podctl(pod, 'status', '--json', pod.name).ended;
    expect(JSON.parse(status.out) as Status).toMatchObject({
      pod: pod.name,
      state: 'idle',
      lastOutcome: 'cancelled',
    });
  });

  test('CLI-3: nobody reads its output: it ends quietly with 141, and the run goes on', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const podctl = new Podctl(pod, 'run', pod.name, 'slowly');
    await until(() => podctl.out.includes('word'), 'the text begins');
    podctl.closeOutput();
    const { code, err } = await podctl.ended;
    expect({ code, err }).toEqual({ code: 141, err: '' });
    const status = await new Podctl(pod, 'status', pod.socket).ended;
    expect(status.out).toMatch(/state +running, streaming; turn 1 of run/);
  });

  test('CLI-2: stop ends when the Pod is gone, and says so; a stopped Pod is not reached: 69', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    expect(await new Podctl(pod, 'stop', '--now', pod.name).ended).toEqual({
      code: 0,
      out: 'Pod p stopped\n',
      err: '',
    });
    expect(existsSync(pod.socket)).toBe(false);
    expect(await pod.exit()).toBe(0);
    expect(await new Podctl(pod, 'status', pod.name).ended).toEqual({
      code: 69,
      out: '',
      err: `podctl: no Pod p is running: there is no socket at ${pod.socket}; start it with: podd --manifest FILE\n`,
    });
  });
});
