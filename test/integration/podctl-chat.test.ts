import { describe, expect, test } from 'vitest';
import { podctl } from '../../client/podctl/program.ts';
import type { Shell } from '../../client/podctl/shell.ts';
import type { Numbered } from '../../protocol/events.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { done, report, runEnd, runStart } from '../support/pod-events.ts';
import { settled } from '../support/settled.ts';
import { TalkingPod } from '../support/talking-pod.ts';
import { until } from '../support/until.ts';

/** A stdin that a test types into. */
class Keyboard {
  readonly stdin: AsyncIterable<Uint8Array>;
  #waiting: (() => void) | undefined;
  readonly #typed: (Uint8Array | null)[] = [];

  constructor() {
    const next = async (): Promise<Uint8Array | null> => {
      while (this.#typed.length === 0)
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      return this.#typed.shift() ?? null;
    };
    this.stdin = {
      async *[Symbol.asyncIterator]() {
        for (let chunk = await next(); chunk !== null; chunk = await next()) yield chunk;
      },
    };
  }

  type(text: string): void {
    this.#push(Buffer.from(text));
  }

  /** Ctrl-D. */
  end(): void {
    this.#push(null);
  }

  #push(chunk: Uint8Array | null): void {
    this.#typed.push(chunk);
    this.#waiting?.();
  }
}

type Bench = {
  readonly pod: TalkingPod;
  readonly fake: FakeShell;
  readonly keys: Keyboard;
  readonly code: Promise<number>;
};

/** A chat with a Pod whose runs end when the test says so. */
async function chat(
  pod: TalkingPod,
  changes: Partial<Shell> = {},
  terminal = true,
): Promise<Bench> {
  const keys = new Keyboard();
  const env = { NO_COLOR: '1' };
  const fake = new FakeShell({ terminal, stdin: keys.stdin, env, ...changes });
  const code = podctl(['chat', pod.socket], fake.shell, '0');
  await until(() => pod.asked.length > 0, 'it is subscribed');
  return { pod, fake, keys, code };
}

type Run = { readonly runId: string; readonly input: string; readonly inputId: string };

/** Accepts runs, and answers each when `end` is called. */
class Runs {
  readonly asked: Run[] = [];
  readonly #answers: ((result: unknown) => void)[] = [];

  async listen(): Promise<TalkingPod> {
    return await TalkingPod.listen((asked, _pod, answer) => {
      const { input = '', inputId = '' } = asked.params as { input?: string; inputId?: string };
      if (asked.method !== 'Run') return { runId: 'r1', quiescent: true, survivors: [] };
      this.asked.push({ runId: `r${this.asked.length + 1}`, input, inputId });
      this.#answers.push(answer);
      return undefined;
    });
  }

  begin(pod: TalkingPod, at: number): void {
    const { runId = '', inputId = '' } = this.asked[at] ?? {};
    pod.tell({ event: 'run_start', data: { runId, inputId, trigger: 'run' } });
  }

  end(pod: TalkingPod, at: number, changes: Parameters<typeof report>[0] = {}): void {
    const { runId = '' } = this.asked[at] ?? {};
    pod.tell(runEnd({ runId, ...changes }) as Numbered);
    this.#answers[at]?.(report({ runId, ...changes }));
  }
}

describe('podctl chat on a terminal', () => {
  test('CLI-2: a line is a run under an id of its own, and the next prompt comes when it is over', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    keys.type('hello\n');
    await until(() => runs.asked.length === 1, 'the run is asked for');
    expect(runs.asked[0]).toMatchObject({ input: 'hello', inputId: expect.any(String) as string });
    expect(pod.asked.find(({ method }) => method === 'Run')?.params).toMatchObject({ queue: true });
    const prompts = (): number => fake.errText.split('> ').length - 1;
    expect(prompts()).toBe(1);
    runs.begin(pod, 0);
    pod.tell(done(1, 'I hear \u001b[2Jyou') as Numbered);
    runs.end(pod, 0);
    await until(() => prompts() === 2, 'the next prompt');
    expect(fake.outText).toBe('I hear [2Jyou\n');
    keys.end();
    expect(await code).toBe(0);
  });

  test('CLI-2: /cancel is obeyed while the run goes on, and only a run of this chat is cancelled', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    const cancels = (): number => pod.asked.filter(({ method }) => method === 'Cancel').length;
    keys.type('/cancel\n');
    await until(() => fake.errText.includes('no run of this chat is open'), 'it says so');
    pod.tell(runStart('another') as Numbered);
    keys.type('mine\n/cancel\n');
    await until(() => runs.asked.length === 1, 'the run is asked for');
    pod.tell(runEnd({ runId: 'another' }) as Numbered, done(1, 'drawn') as Numbered);
    await until(() => fake.outText.includes('drawn'), 'what the other one did is drawn');
    expect(cancels()).toBe(0);
    runs.begin(pod, 0);
    await until(() => cancels() === 1, 'the cancel');
    runs.end(pod, 0, { outcome: 'cancelled' });
    await until(() => fake.errText.includes('the run was cancelled'), 'it says how it ended');
    keys.type('/quit\n');
    expect(await code).toBe(0);
    expect(cancels()).toBe(1);
  });

  test('CLI-2: the first Ctrl-C cancels, the second leaves and says that the run goes on', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    keys.type('hello\n');
    await until(() => runs.asked.length === 1, 'the run is asked for');
    runs.begin(pod, 0);
    pod.tell(done(1, 'begun') as Numbered);
    await until(() => fake.outText.includes('begun'), 'it is drawn');
    fake.interrupt();
    fake.interrupt();
    expect(await code).toBe(130);
    expect(fake.errText).toMatch(/cancelling the run.*\n.*left; what the run still does/);
    await until(() => pod.open === 0, 'its connections are gone');
  });

  test('CLI-2: what others say to the Pod is shown, in a line that moves no terminal', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    const content = [{ type: 'text' as const, text: 'by another\u001b[2J\nclient' }];
    const items = [{ type: 'message' as const, role: 'user' as const, content }];
    pod.tell({ event: 'history', data: { sessionId: 's', from: 0, items } });
    await until(() => fake.errText.includes('· by another[2J client\n'), 'it is shown');
    keys.end();
    expect(await code).toBe(0);
  });

  test('CLI-2: a compaction is told, also between two runs; what the new session begins with is not told again', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    const says = (sessionId: string, from: number, text: string): Numbered => {
      const content = [{ type: 'text' as const, text }];
      const items = [{ type: 'message' as const, role: 'user' as const, content }];
      return { event: 'history', data: { sessionId, from, items } };
    };
    const sizes = { tokensBefore: 31_200, tokensAfter: 9_400 };
    pod.tell(
      { event: 'compaction_start', data: { sessionId: 's1' } },
      { event: 'compaction_done', data: { from: 's1', sessionId: 's2', ...sizes } },
      { event: 'session_changed', data: { from: 's1', sessionId: 's2', reason: 'compaction' } },
      says('s2', 0, 'a summary'),
      says('s2', 1, 'news'),
    );
    await until(() => fake.errText.includes('· news\n'), 'the news is shown');
    expect(fake.errText).toContain('compacting …\ncompacted: 31,200 → 9,400 tokens\n· news\n');
    keys.type('hello\n');
    await until(() => runs.asked.length === 1, 'the run is asked for');
    runs.begin(pod, 0);
    pod.tell(done(1, 'I hear you') as Numbered);
    runs.end(pod, 0, { sessionId: 's2' });
    await until(() => fake.outText === 'I hear you\n', 'the run is drawn');
    keys.end();
    expect(await code).toBe(0);
  });

  test('CLI-1 CLI-2: after a restart blocks are numbered anew, and no text of the new life is taken for the old one', async () => {
    const runs = new Runs();
    await using pod = await runs.listen();
    const { fake, keys, code } = await chat(pod);
    keys.type('hello\n');
    await until(() => runs.asked.length === 1, 'the run is asked for');
    runs.begin(pod, 0);
    pod.say({ event: 'text_delta', data: { block: 1, offset: 0, text: 'a long text of the old' } });
    await until(() => fake.outText.includes('of the old'), 'it is drawn');
    await pod.die();
    await until(() => fake.errText.includes('is gone; waiting'), 'it says so');
    await pod.startAnew();
    await until(() => runs.asked.length === 2, 'the run is asked for again');
    expect(runs.asked[1]?.inputId).toBe(runs.asked[0]?.inputId);
    runs.begin(pod, 1);
    pod.tell(done(1, 'short') as Numbered);
    runs.end(pod, 1);
    await until(() => fake.outText === 'a long text of the old\nshort\n', 'the new text is whole');
    keys.end();
    expect(await code).toBe(0);
  });
});

describe('podctl events', () => {
  test('CLI-2 PROTO-11: events over a change of the session come in one row, those of a compaction too', async () => {
    await using pod = await TalkingPod.listen();
    const told: Numbered[] = [
      { event: 'compaction_start', data: { sessionId: 's1' } },
      {
        event: 'compaction_done',
        data: { from: 's1', sessionId: 's2', tokensBefore: 2, tokensAfter: 1 },
      },
      { event: 'session_changed', data: { from: 's1', sessionId: 's2', reason: 'compaction' } },
      { event: 'history', data: { sessionId: 's2', from: 0, items: [] } },
    ];
    pod.tell(...told);
    const fake = new FakeShell();
    expect(await podctl(['events', pod.socket], fake.shell, '0')).toBe(0);
    const lines = fake.outText.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject(told);
  });

  test('CLI-1 CLI-2: where nobody takes its output, it stops reading the Pod', async () => {
    await using pod = await TalkingPod.listen();
    const held: (() => void)[] = [];
    let lines = 0;
    const out = {
      write: () => (lines += 1),
      drained: () => new Promise<void>((resolve) => held.push(resolve)),
      isTerminal: false,
    };
    const fake = new FakeShell({ out });
    const code = podctl(['events', '--follow', pod.socket], fake.shell, '0');
    await until(() => pod.asked.length > 0, 'it is subscribed');
    const text = 'x'.repeat(64 * 1024);
    for (let n = 1; n <= 300; n += 1) {
      pod.tell(done(n, text) as Numbered);
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const connection = pod.connections.at(-1);
    expect(await settled(() => connection?.writableLength ?? 0)).toBeGreaterThan(8 * 1024 * 1024);
    expect(lines).toBe(1);
    fake.interrupt();
    for (const go of held) go();
    expect(await code).toBe(130);
  });
});
