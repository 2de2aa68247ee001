import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sessionId } from '../../daemon/core/ids.ts';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { input, runEnd } from '../support/session-entries.ts';
import { TempPod } from '../support/temp-pod.ts';
import { firstBatch, journalOptions } from '../support/temp-journal.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

type Life = { readonly session: string; readonly inputs: readonly string[] };

/** A Pod that is started again and again, each time with the session that is asked for. */
class ManyLives implements AsyncDisposable {
  readonly #args: string[] = [];
  readonly pod = new TempPod({ script: SCRIPT, args: this.#args });

  /** One life, with a run in it if there is something to ask; answers its session and what was asked in it so far. */
  async live(asked: string | null, session: 'latest' | 'new' = 'latest'): Promise<Life> {
    this.#args.splice(0, this.#args.length, '--session', session);
    const ready = await this.pod.start();
    const inputs = await this.#ask(asked);
    this.pod.signal('SIGTERM');
    expect(await this.pod.exit()).toBe(0);
    return { session: ready.sessionId, inputs };
  }

  async #ask(asked: string | null): Promise<string[]> {
    using client = await this.pod.client();
    if (asked !== null) await client.call('Run', { input: asked });
    const { items } = (await client.call('GetHistory')) as { items: Record<string, unknown>[] };
    return items
      .filter(({ role }) => role === 'user')
      .map(({ content }) => (content as { text: string }[]).map(({ text }) => text).join());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pod[Symbol.asyncDispose]();
  }
}

describe('podd --session latest', () => {
  test('START-5: it goes on with the session that was live last', async () => {
    await using lives = new ManyLives();
    const first = await lives.live('one');
    expect(await lives.live('two')).toEqual({ ...first, inputs: ['one', 'two'] });
    const second = await lives.live('three', 'new');
    expect(second.session).not.toBe(first.session);
    expect(second.inputs).toEqual(['three']);
    expect(await lives.live(null)).toEqual(second);
  });

  test('START-5 LOG-16: a session in which nothing ran was never live, so the one before it goes on', async () => {
    await using lives = new ManyLives();
    const first = await lives.live('one');
    const idle = await lives.live(null, 'new');
    expect(idle.session).not.toBe(first.session);
    expect(await lives.live('two')).toEqual({ ...first, inputs: ['one', 'two'] });
  });

  test('START-5: a store without a session begins a fresh one', async () => {
    await using lives = new ManyLives();
    const idle = await lives.live(null);
    const first = await lives.live('one');
    expect(idle.inputs).toEqual([]);
    expect(first.session).not.toBe(idle.session);
    expect(first.inputs).toEqual(['one']);
    expect((await lives.live(null)).session).toBe(first.session);
  });

  test('START-5: the pointer decides, not the newest id', async () => {
    await using lives = new ManyLives();
    const { state } = lives.pod;
    const folder = join(state, 'db');
    for (const id of [
      'ffffffff-ffff-7fff-bfff-ffffffffffff',
      '01900000-0000-7000-8000-000000000000',
    ]) {
      const options = journalOptions({
        session: { kind: 'new' },
        newSessionId: () => sessionId(id),
      });
      const { journal } = await openJournal({ ...options, folder });
      const first = firstBatch([], sessionId(id));
      await journal.commit({
        ...first,
        session: [...(first.session ?? []), input(`in ${id.slice(0, 4)}`), runEnd()],
      });
      await journal[Symbol.asyncDispose]();
    }
    expect(await lives.live(null)).toEqual({
      session: '01900000-0000-7000-8000-000000000000',
      inputs: ['go', 'in 0190'],
    });
  });
});

describe('a start that can’t serve its socket', () => {
  test('PATH-2 EXIT-1: a path over the kernel’s limit is 73, told with its length and what to set, and nothing is made', async () => {
    const env: Record<string, string> = {};
    await using pod = new TempPod({ script: SCRIPT, env });
    const before = readdirSync(pod.folder);
    const socket = '/p/sock'.length;
    const root = join(pod.folder, 'r'.repeat(107 - pod.folder.length - 1 - socket));
    env['PODD_RUNTIME_DIR'] = `${root}r`;
    await expect(pod.start()).rejects.toThrow('podd ended (73)');
    expect(pod.stderr).toContain('108 bytes');
    expect(pod.stderr).toContain('PODD_RUNTIME_DIR');
    expect(pod.stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(pod.folder)).toEqual(before);
    env['PODD_RUNTIME_DIR'] = root;
    const { socket: served } = await pod.start();
    expect(Buffer.byteLength(served)).toBe(107);
    expect(existsSync(served)).toBe(true);
  });
});
