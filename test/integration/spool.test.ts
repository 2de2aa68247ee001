import { execFileSync } from 'node:child_process';
import { lstatSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cancelled } from '../../daemon/core/cancel.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { KeptOutput } from '../../daemon/ports/spool.ts';
import { SpoolFolder } from '../../daemon/sandbox/spool.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NEVER = new AbortController().signal;
const CLOCK = { now: () => 1_000 };

type TempSpool = AsyncDisposable & {
  readonly folder: string;
  /** What the next process has. */
  readonly open: () => SpoolFolder;
  readonly names: () => Promise<string[]>;
};

async function tempSpool(now: () => number = CLOCK.now): Promise<TempSpool> {
  const temp = await tempFolder();
  const folder = join(temp.path, 'spool');
  await mkdir(folder, { mode: 0o700 });
  return {
    folder,
    open: () => new SpoolFolder(folder, { now }),
    names: async () => (await readdir(folder)).sort(),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

async function kept(spool: SpoolFolder, text: string, tool = 'Read'): Promise<KeptOutput> {
  const answer = await spool.keep({ tool, text }, NEVER);
  if (!answer.ok) throw new TypeError(answer.error);
  return answer.value;
}

/** The name of an output that was kept long ago. */
function old(at: number, bytes: number): string {
  return `${String(at).padStart(13, '0')}-Bash-${bytes}`;
}

/** A file that takes no room on the disk, as long as its name says. */
function sparse(folder: string, name: string, bytes = Number(name.split('-').at(-1))): void {
  writeFileSync(join(folder, name), '');
  truncateSync(join(folder, name), bytes);
}

function limitFileBytes(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

describe('SpoolFolder', () => {
  test('PATH-3: an output lies there whole, 0600, under a name of its own', async () => {
    await using temp = await tempSpool();
    const spool = temp.open();
    const text = 'äöü\n'.repeat(500_000);
    const first = await kept(spool, text);
    expect(first).toEqual({
      path: join(temp.folder, `0000000001000-Read-${Buffer.byteLength(text)}`),
      bytesGone: 0,
    });
    expect(await readFile(first.path, 'utf8')).toBe(text);
    expect((await stat(first.path)).mode & 0o777).toBe(0o600);
    const second = await kept(spool, 'b', `../${'x'.repeat(100)}/ü`);
    expect(basename(second.path)).toBe(`0000000001001-___${'x'.repeat(61)}-1`);
    expect(await temp.names()).toEqual([basename(first.path), basename(second.path)]);
  });

  test('PATH-3: outputs kept side by side, and by processes one after the other, never share a name, also when the clock stands or steps back', async () => {
    let now = 5_000;
    await using temp = await tempSpool(() => now);
    const spool = temp.open();
    const texts = Array.from({ length: 20 }, (_, at) => `text ${at}`);
    const all = await Promise.all(texts.map((text) => kept(spool, text)));
    now = 10;
    all.push(await kept(temp.open(), 'later'));
    expect(all.map(({ path }) => path)).toEqual(
      (await temp.names()).map((n) => join(temp.folder, n)),
    );
    for (const [at, { path }] of all.entries())
      expect(await readFile(path, 'utf8')).toBe(texts[at] ?? 'later');
  });

  test('PATH-3 INV-12: of an output that is too long, the first 16 MiB and the last 48 are kept, with a line between', async () => {
    await using temp = await tempSpool();
    const half = LIMITS.spoolBytes / 2 + 4_096;
    const { path, bytesGone } = await kept(temp.open(), 'a'.repeat(half) + 'b'.repeat(half));
    const bytes = await readFile(path);
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.spoolBytes);
    const line = `\n[cut: ${bytesGone} bytes are missing here]\n`;
    const at = bytes.indexOf('\n');
    expect(bytes.toString('utf8', at, at + line.length)).toBe(line);
    expect(at + line.length).toBeLessThanOrEqual(LIMITS.spoolHeadBytes);
    expect(at + line.length).toBeGreaterThan(LIMITS.spoolHeadBytes - 8);
    expect(bytes.length - line.length + bytesGone).toBe(2 * half);
    expect(bytes.length - at - line.length).toBe(LIMITS.spoolBytes - LIMITS.spoolHeadBytes);
  });

  test('PATH-3 INV-12: a Pod keeps 512 MiB; the oldest are dropped, also those of processes before, and nothing else', async () => {
    await using temp = await tempSpool();
    const most = LIMITS.spoolPodBytes / LIMITS.spoolBytes;
    for (let at = 0; at < most; at += 1) sparse(temp.folder, old(at, LIMITS.spoolBytes));
    const link = old(0, LIMITS.spoolBytes - 1);
    const others = ['notes.txt', '0000000000000-a.b-1', '12-Read-1', '0000000000000-Read'];
    for (const name of others) sparse(temp.folder, name, LIMITS.spoolBytes);
    await symlink('notes.txt', join(temp.folder, link));
    const spool = temp.open();
    await kept(spool, 'x');
    const left = await temp.names();
    expect(left).not.toContain(old(0, LIMITS.spoolBytes));
    for (const name of [...others, link, old(1, LIMITS.spoolBytes)]) expect(left).toContain(name);
    // Now there is room for all but one byte of the next.
    await kept(spool, 'y'.repeat(LIMITS.spoolBytes));
    const then = await temp.names();
    expect(then).not.toContain(old(1, LIMITS.spoolBytes));
    expect(then).toContain(old(2, LIMITS.spoolBytes));
    const sizes = then
      .filter((name) => name.includes('-Read-') || name.includes('-Bash-'))
      .filter((name) => name !== link && !others.includes(name))
      .map((name) => lstatSync(join(temp.folder, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(LIMITS.spoolPodBytes);
  });

  test('PATH-3 INV-12: there are at most so many of them, however small', async () => {
    await using temp = await tempSpool();
    for (let at = 0; at < LIMITS.spoolFiles; at += 1)
      writeFileSync(join(temp.folder, old(at, 0)), '');
    await kept(temp.open(), 'x');
    const left = await temp.names();
    expect(left).toHaveLength(LIMITS.spoolFiles);
    expect(left[0]).toBe(old(1, 0));
  });

  test('PATH-3: what its user has removed is no trouble', async () => {
    await using temp = await tempSpool();
    const spool = temp.open();
    for (const at of [1, 2]) sparse(temp.folder, old(at, LIMITS.spoolPodBytes / 2));
    // It looks at what is there; then that goes.
    await kept(spool, 'x');
    for (const name of await temp.names()) await rm(join(temp.folder, name));
    const { path } = await kept(spool, 'y'.repeat(LIMITS.spoolBytes));
    expect(await temp.names()).toEqual([basename(path)]);
  });

  test('PATH-3: half of an output, as a process that died leaves it, is no kept output and goes with the next one', async () => {
    await using temp = await tempSpool();
    await symlink('/etc/passwd', join(temp.folder, '.draft'));
    const { path } = await kept(temp.open(), 'whole');
    expect(await temp.names()).toEqual([basename(path)]);
    sparse(temp.folder, '.draft', LIMITS.spoolPodBytes);
    const next = await kept(temp.open(), 'whole too');
    expect(await temp.names()).toEqual([basename(path), basename(next.path)]);
  });

  test('PATH-3: a disk that takes no more is a refusal in its words; nothing of the output is left, and the next one is kept', async () => {
    await using temp = await tempSpool();
    const spool = temp.open();
    const before = await kept(spool, 'before');
    try {
      limitFileBytes(64 * 1024);
      expect(await spool.keep({ tool: 'Read', text: 'x'.repeat(200_000) }, NEVER)).toEqual({
        ok: false,
        error: 'file too large',
      });
    } finally {
      limitFileBytes('unlimited');
    }
    expect(await temp.names()).toEqual([basename(before.path)]);
    const after = await kept(spool, 'x'.repeat(200_000));
    expect(await temp.names()).toEqual([basename(before.path), basename(after.path)]);
  });

  test('PATH-3: a folder that is gone, a file or a link is a refusal, and nothing is written or dropped elsewhere', async () => {
    await using temp = await tempSpool();
    const spool = temp.open();
    await kept(spool, 'x');
    const elsewhere = `${temp.folder}-moved`;
    await rename(temp.folder, elsewhere);
    const says = async (): Promise<unknown> => await spool.keep({ tool: 'Read', text: 'y' }, NEVER);
    expect(await says()).toEqual({ ok: false, error: 'no such file or directory' });
    await symlink(elsewhere, temp.folder);
    expect(await says()).toEqual({ ok: false, error: 'not a directory' });
    expect(await readlink(temp.folder)).toBe(elsewhere);
    expect(await readdir(elsewhere)).toEqual(['0000000001000-Read-1']);
  });

  test('PATH-3 INV-6: a signal ends it in the middle, with its reason, and leaves nothing', async () => {
    await using temp = await tempSpool();
    const spool = temp.open();
    const controller = new AbortController();
    const reason = new Cancelled({ kind: 'client' });
    const work = spool.keep(
      { tool: 'Read', text: 'x'.repeat(LIMITS.spoolBytes) },
      controller.signal,
    );
    const behind = spool.keep({ tool: 'Read', text: 'behind' }, controller.signal);
    const refused = [expect(work).rejects.toBe(reason), expect(behind).rejects.toBe(reason)];
    while (!(await temp.names()).includes('.draft')) await new Promise(setImmediate);
    controller.abort(reason);
    // What was given up still runs: nothing is to wait behind that, which may be for ever.
    expect(await spool.keep({ tool: 'Read', text: 'more' }, NEVER)).toEqual({
      ok: false,
      error: 'the disk has not taken an earlier one yet',
    });
    await Promise.all(refused);
    expect(await temp.names()).toEqual([]);
    await kept(spool, 'again');
  });
});
