import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStderrSink } from '../../daemon/app/stderr-sink.ts';
import { tempFolder } from '../support/temp-folder.ts';

const LINE = Buffer.from(`${'x'.repeat(99)}\n`);

/** A pipe as a shell gives one, both ends in this process. */
function openPipe(folder: string): { readonly reader: number; readonly writer: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

describe('openStderrSink', () => {
  test('START-3: a full pipe takes nothing and keeps nobody waiting; emptied, it takes more', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    using sink = openStderrSink(writer);
    let written = 0;
    for (let taken = 1; taken > 0; written += taken) taken = sink?.write(LINE) ?? 0;
    expect(written).toBeGreaterThan(4_000);
    expect(sink?.write(LINE)).toBe(0);
    expect(readSync(reader, Buffer.alloc(written + 1))).toBe(written);
    expect(sink?.write(LINE)).toBe(LINE.length);
    closeSync(reader);
    closeSync(writer);
  });

  test('START-3: whoever shares the pipe still waits there for room, as before', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    using sink = openStderrSink(writer);
    expect(sink?.write(LINE)).toBe(LINE.length);
    const flags = /^flags:\s+(\d+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${writer}`, 'utf8'),
    )?.[1];
    expect(Number.parseInt(flags ?? '', 8) & constants.O_NONBLOCK).toBe(0);
    closeSync(reader);
    closeSync(writer);
  });

  test('START-3: a pipe without a reader is over', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    using sink = openStderrSink(writer);
    closeSync(reader);
    expect(sink?.write(LINE)).toBeNull();
    closeSync(writer);
  });

  test('START-3: a file gets its lines where those of others stand', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'err');
    const fd = openSync(path, 'w');
    using sink = openStderrSink(fd);
    writeSync(fd, 'before\n');
    sink?.write(Buffer.from('mine\n'));
    writeSync(fd, 'after\n');
    expect(readFileSync(path, 'utf8')).toBe('before\nmine\nafter\n');
    closeSync(fd);
  });

  test('START-3 LOG-9: a full disk takes nothing now, and may later', () => {
    const fd = openSync('/dev/full', 'w');
    using sink = openStderrSink(fd);
    expect(sink?.write(LINE)).toBe(0);
    closeSync(fd);
  });

  test('START-3: a descriptor that is closed is no way at all', () => {
    expect(openStderrSink(1_000_000)).toBeNull();
  });
});
