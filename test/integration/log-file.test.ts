import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLogFile, type LogFile } from '../../daemon/app/log-file.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { tempFolder } from '../support/temp-folder.ts';

const open = (path: string): LogFile => openLogFile(path, { level: 'info', pod: 'p' });

async function lines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  test('PATH-1: lines that came before it was loaded are written in their order, mode 0600', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    file.log.info('first', { n: 1 });
    file.log.debug('too fine');
    await file.start();
    file.log.error('second', { err: new Error('why') });
    expect(await lines(path)).toMatchObject([
      { level: 30, pod: 'p', msg: 'first', n: 1 },
      { level: 50, msg: 'second', err: { message: 'why' } },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('PATH-1 INV-12: at its cap it begins anew, with one older file kept', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    const text = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 25; n += 1) file.log.info(text);
    expect(statSync(path).size).toBeLessThanOrEqual(LIMITS.logFileBytes);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(LIMITS.logFileBytes);
    expect(() => statSync(`${path}.2`)).toThrow();
  });

  test('START-3: after the file was moved away, reopening begins a new one', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    file.log.info('old');
    renameSync(path, `${path}.moved`);
    file.log.info('still old');
    file.reopen();
    file.log.info('new');
    expect(await lines(`${path}.moved`)).toHaveLength(2);
    expect(await lines(path)).toMatchObject([{ msg: 'new' }]);
  });

  test('PATH-1: an older file that somebody moved away, or a rename that went well alone, stops no line', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    file.log.info('x'.repeat(LIMITS.logFileBytes));
    renameSync(path, `${path}.moved`);
    file.log.info('next');
    expect(await lines(path)).toMatchObject([{ msg: 'next' }]);
  });

  test('START-3: each line goes to its second reader too, as it stands in the file', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    let also = '';
    const options = { level: 'info', pod: 'p', also: (line: string) => (also += line) } as const;
    await using file = openLogFile(path, options);
    file.log.debug('too fine');
    file.log.info('before it is loaded');
    await file.start();
    file.log.warn(['sk', 'test', 'abcdefghijklmnop'].join('-'));
    expect(also).toBe(await readFile(path, 'utf8'));
    expect(also.trim().split('\n')).toHaveLength(2);
  });

  test('START-3: lines finer than its level take no place among those that wait', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    for (let n = 0; n < 1_500; n += 1) file.log.debug('too fine');
    file.log.info('last');
    await file.start();
    expect(await lines(path)).toMatchObject([{ msg: 'last' }]);
  });

  test('LOG-9: a disk that takes nothing loses lines, not the daemon', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    symlinkSync('/dev/full', path);
    await using file = open(path);
    await file.start();
    expect(() => {
      file.log.error('nobody will read this');
    }).not.toThrow();
  });

  test('LOG-9: a line that the disk took in part is told as lost, and the next one stands on a line of its own', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    const limit = (bytes: number | 'unlimited'): void => {
      const pid = String(process.pid);
      execFileSync('prlimit', ['--pid', pid, `--fsize=${bytes}:unlimited`]);
    };
    try {
      limit(1_000);
      file.log.info('x'.repeat(2_000));
    } finally {
      limit('unlimited');
    }
    file.log.info('next');
    const [torn, ...whole] = (await readFile(path, 'utf8')).trim().split('\n');
    expect(torn).toHaveLength(1_000);
    expect(whole.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      '1 lines were lost: the disk took none',
      'next',
    ]);
  });

  const KEY = ['sk', 'test', 'abcdefghijklmnop'].join('-');

  test.each([
    [
      'keys of the shapes that providers give out',
      [`rejected ${KEY}`, { err: new Error(`key ${KEY}`), headers: { auth: KEY } }] as const,
      'rejected ***',
    ],
    [
      'a key after a line end, below an error that caused another',
      [
        `rejected:\n${KEY}`,
        {
          err: new Error('outer', { cause: new Error(`says:\n\t${KEY}`) }),
          request: { headers: { authorization: 'abcdefgh' }, body: `a\n${KEY}` },
        },
      ] as const,
      'says:\\n\\t***',
    ],
  ])('START-3: no part of %s reaches the file', async (_what, [message, facts], kept) => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    file.log.error(message, facts);
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain('abcdefgh');
    expect(text).toContain(kept);
  });

  test('START-3: lines of a log that is closed before it was started are in it', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    const file = openLogFile(path, { level: 'info', pod: 'p' });
    file.log.error('what went wrong');
    await file[Symbol.asyncDispose]();
    expect(await readFile(path, 'utf8')).toContain('"msg":"what went wrong"');
  });

  test('INV-6: a pipe in the place of the log is told as one, not waited on, whether it is read or not', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    execFileSync('mkfifo', [path]);
    const told = `cannot open the log ${path}: it is a pipe, no file; move it away`;
    expect(() => open(path)).toThrow(told);
    const reader = openSync(path, constants.O_RDWR);
    try {
      expect(() => open(path)).toThrow(told);
    } finally {
      closeSync(reader);
    }
  });

  test('START-3: a folder or a socket in the place of the log is named, and what the system says where it is neither', async () => {
    await using folder = await tempFolder();
    const at = (name: string): string => join(folder.path, name);
    mkdirSync(at('folder'));
    expect(() => open(at('folder'))).toThrow(`${at('folder')}: it is a folder, no file`);
    const server = createServer().listen(at('socket'));
    await once(server, 'listening');
    expect(() => open(at('socket'))).toThrow(`${at('socket')}: it is a socket, no file`);
    server.close();
    expect(() => open(at('missing/podd.log'))).toThrow(/podd\.log: ENOENT/);
  });

  test('INV-6: a pipe that took its place is told in the old file when it is opened again, and that goes on', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    renameSync(path, `${path}.moved`);
    execFileSync('mkfifo', [path]);
    file.reopen();
    file.log.info('next');
    expect(await lines(`${path}.moved`)).toMatchObject([
      { level: 50, err: { message: expect.stringContaining('it is a pipe') as string } },
      { msg: 'next' },
    ]);
  });

  test('INV-6 INV-12: a pipe that took its place does not hold up the file that begins anew', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'podd.log');
    await using file = open(path);
    await file.start();
    file.log.info('x'.repeat(LIMITS.logFileBytes));
    renameSync(path, `${path}.moved`);
    execFileSync('mkfifo', [path]);
    file.log.info('next');
    expect(statSync(`${path}.1`).isFIFO()).toBe(true);
    expect(await lines(path)).toMatchObject([{ msg: 'next' }]);
  });
});
