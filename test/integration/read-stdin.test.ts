import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStdin } from '../../daemon/app/read-stdin.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { tempFolder } from '../support/temp-folder.ts';

const never = new AbortController().signal;

test('INV-6 START-1: stdin that does not end is given up, and one that is to stop, at once', async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, 'fifo');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, 'r+');
  try {
    expect(await readStdin(never, { fd, limitMs: 50 })).toEqual({
      ok: false,
      error: 'did not end within 50 ms',
    });
    const stop = new AbortController();
    const reading = readStdin(stop.signal, { fd, limitMs: LIMITS.stdinMs });
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  } finally {
    // The reads that still wait in the kernel end by this.
    writeSync(fd, 'xx');
    closeSync(fd);
  }
});

test('INV-12 START-1: stdin is read to its limit, and has to be UTF-8', async () => {
  await using folder = await tempFolder();
  const read = async (bytes: Uint8Array | string): Promise<unknown> => {
    const path = join(folder.path, 'in');
    writeFileSync(path, bytes);
    const fd = openSync(path, 'r');
    try {
      return await readStdin(never, { fd, limitMs: LIMITS.stdinMs });
    } finally {
      closeSync(fd);
    }
  };
  expect(await read('a = 1')).toEqual({ ok: true, value: 'a = 1' });
  expect(await read(Buffer.from([0x61, 0xe4]))).toEqual({ ok: false, error: 'is not UTF-8' });
  expect(await read('#'.repeat(LIMITS.manifestBytes))).toMatchObject({ ok: true });
  expect(await read('#'.repeat(LIMITS.manifestBytes + 1))).toMatchObject({ ok: false });
});
