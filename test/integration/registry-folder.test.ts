import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Log } from '../../daemon/ports/log.ts';
import { openRegistryFolder } from '../../daemon/scope/registry-folder.ts';
import type { RegistryLock } from '../../daemon/scope/registry-lock.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { startFixture } from '../support/fixture-process.ts';
import { ROOT } from '../support/source-tree.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { SILENT } from '../support/temp-journal.ts';

const open = async (folder: string, wanted?: string, log: Log = SILENT): Promise<RegistryLock> =>
  await openRegistryFolder(folder, { wanted, log });

const kindFile = (folder: string): unknown =>
  JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8'));

const mode = (path: string): number => statSync(path).mode & 0o7777;

/** A folder whose `lock.json` holds this text. */
function folderWith(parent: string, text: string): string {
  const folder = join(parent, 'registry');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'lock.json'), text);
  return folder;
}

function keepLines(lines: string[]): Log {
  const at =
    (level: keyof Log): Log[keyof Log] =>
    (message, fields) => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { ...SILENT, info: at('info'), warn: at('warn'), error: at('error') };
}

describe('openRegistryFolder', () => {
  test('SCOPE-5: makes the folder and its parents 0700 and what is in it 0600, whatever the umask', async () => {
    for (const umask of [0o000, 0o022, 0o777]) {
      await using temp = await tempFolder();
      const before = process.umask(umask);
      try {
        for (const kind of ['kernel', 'portable']) {
          const folder = join(temp.path, kind, 'state/registry');
          const lock = await open(folder, kind);
          await using held = await lock.acquire({ pod: 'p', pid: 7 }, new AbortController().signal);
          expect(await held.isOurs()).toBe(true);
          for (const path of ['', '..', '../..']) expect(mode(join(folder, path))).toBe(0o700);
          const files = readdirSync(folder).filter((name) => name !== 'portable.lock');
          expect(files).toHaveLength(2);
          for (const name of files) expect(mode(join(folder, name)), name).toBe(0o600);
        }
      } finally {
        process.umask(before);
      }
    }
  });

  test('SCOPE-5: tightens a folder of ours that others may enter, says so, and leaves another user’s as it is', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'registry');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const lines: string[] = [];
    await open(folder, '', keepLines(lines));
    expect(mode(folder)).toBe(0o700);
    expect(lines).toEqual([expect.stringMatching(/^info the scope registry was open to other/)]);
    if (process.getuid?.() !== 0) return;
    chownSync(folder, 4242, 4242);
    chmodSync(folder, 0o750);
    await open(folder);
    expect(mode(folder)).toBe(0o750);
  });

  test('SCOPE-5: a fresh folder gets a kernel lock, or the kind that PODD_SCOPE_LOCK names, and leaves no draft', async () => {
    await using temp = await tempFolder();
    const wants = [undefined, '', 'kernel', 'portable'];
    for (const [index, wanted] of wants.entries()) {
      const folder = join(temp.path, String(index));
      const kind = wanted === 'portable' ? 'portable' : 'kernel';
      expect((await open(folder, wanted)).kind).toBe(kind);
      expect(kindFile(folder)).toEqual({ format: 1, kind });
      expect(readdirSync(folder)).toEqual(['lock.json']);
    }
  });

  test('SCOPE-5: a folder keeps its kind whatever a later Pod wants, and that Pod says so', async () => {
    await using temp = await tempFolder();
    for (const [kind, wanted] of [
      ['kernel', 'portable'],
      ['portable', 'kernel'],
    ] as const) {
      const folder = join(temp.path, kind);
      await open(folder, kind);
      const lines: string[] = [];
      expect((await open(folder, wanted, keepLines(lines))).kind).toBe(kind);
      expect((await open(folder, undefined, keepLines(lines))).kind).toBe(kind);
      expect(kindFile(folder)).toEqual({ format: 1, kind });
      expect(lines).toEqual([
        `info the scope registry keeps the kind of lock that it was made with {"kind":"${kind}","PODD_SCOPE_LOCK":"${wanted}"}`,
      ]);
    }
  });

  test('SCOPE-5: of many that make the folder at once, wanting different kinds, all get the same one', async () => {
    await using temp = await tempFolder();
    const kinds = ['kernel', 'portable'];
    for (let round = 0; round < 20; round += 1) {
      const folder = join(temp.path, `${round}`, 'registry');
      const locks = await Promise.all(
        Array.from({ length: 8 }, (_, n) => open(folder, kinds[(n + round) % 2])),
      );
      const { kind } = kindFile(folder) as { readonly kind: string };
      expect(new Set(locks.map((lock) => lock.kind))).toEqual(new Set([kind]));
    }
    await using fixture = await bundleFixture('registry-holder.ts');
    const folder = join(temp.path, 'processes');
    const processes = Array.from({ length: 6 }, (_, n) =>
      startFixture(fixture.path, [folder, kinds[n % 2] ?? '', 'p', 'kind']),
    );
    const said = await Promise.all(processes.map((one) => one.waitForLines(1)));
    await Promise.all(processes.map((one) => one.kill()));
    const { kind } = kindFile(folder) as { readonly kind: string };
    expect(new Set(said.flat())).toEqual(new Set([`kind ${kind}`]));
  });

  test('SCOPE-5: PODD_SCOPE_LOCK with another value is refused before anything is made', async () => {
    await using temp = await tempFolder();
    await expect(open(join(temp.path, 'registry'), 'flock')).rejects.toMatchObject({
      name: 'Fault',
      code: 'manifest_invalid',
      message: 'PODD_SCOPE_LOCK is "flock": expected kernel or portable',
    });
    expect(readdirSync(temp.path)).toEqual([]);
  });

  test('LOG-17: a lock.json of another format is refused naming both versions, and left as it is', async () => {
    await using temp = await tempFolder();
    const text = '{"format":2,"kind":"kernel","more":true}';
    const folder = folderWith(temp.path, text);
    await expect(open(folder, 'kernel')).rejects.toMatchObject({
      code: 'manifest_invalid',
      message: expect.stringMatching(/ has format 2, this podd knows 1: /) as unknown,
    });
    expect(readFileSync(join(folder, 'lock.json'), 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['lock.json']);
  });

  test('LOG-17: a lock.json with fields that this version does not know is read and left as it is', async () => {
    await using temp = await tempFolder();
    const text = '{"kind":"portable","madeBy":"0.9.0","format":1}';
    const folder = folderWith(temp.path, text);
    expect((await open(folder)).kind).toBe('portable');
    expect(readFileSync(join(folder, 'lock.json'), 'utf8')).toBe(text);
  });

  test.each([
    ['', 'does not say which kind'],
    ['{"format":1,', 'does not say which kind'],
    ['[]', 'does not say which kind'],
    ['{"kind":"kernel"}', 'does not say which kind'],
    [
      '{"format":1,"kind":"dotlock"}',
      'names a kind of lock that this podd does not know ("dotlock")',
    ],
    ['x'.repeat(70_000), 'has more than'],
  ])(
    'SCOPE-5: a lock.json that can’t be understood ends the start with the remedy (%#)',
    async (text, says) => {
      await using temp = await tempFolder();
      const folder = folderWith(temp.path, text);
      await expect(open(folder, 'portable')).rejects.toMatchObject({
        code: 'cannot_create',
        message: expect.stringMatching(
          /: use the podd that wrote it; or stop all .* PODD_SCOPE_REGISTRY /,
        ) as unknown,
      });
      await expect(open(folder)).rejects.toThrow(`lock.json ${says}`);
      expect(readFileSync(join(folder, 'lock.json'), 'utf8')).toBe(text);
    },
  );

  test('SCOPE-5: a lock.json that is a pipe or a folder ends the start and does not hang it', async () => {
    await using temp = await tempFolder();
    for (const make of ['mkfifo', 'mkdir']) {
      const folder = join(temp.path, make);
      mkdirSync(folder);
      execFileSync(make, [join(folder, 'lock.json')]);
      await expect(open(folder)).rejects.toMatchObject({ code: 'cannot_create' });
    }
  });

  test('SCOPE-5: a folder that can’t be made or used ends the start, naming it and PODD_SCOPE_REGISTRY', async () => {
    await using temp = await tempFolder();
    const file = join(temp.path, 'file');
    writeFileSync(file, '');
    const dangling = join(temp.path, 'dangling');
    symlinkSync('nowhere', dangling);
    for (const folder of [
      file,
      join(file, 'registry'),
      dangling,
      join(dangling, 'registry'),
      '/proc/registry',
    ])
      for (const wanted of ['kernel', 'portable'])
        await expect(open(folder, wanted), folder).rejects.toMatchObject({
          name: 'Fault',
          code: 'cannot_create',
          message: expect.stringMatching(`${folder} .*PODD_SCOPE_REGISTRY`) as unknown,
        });
  });

  test('SCOPE-5: a podd without the native makes portable folders, and refuses a kernel one with the remedy', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    // Beside this copy there is one of the two packages.
    const copy = join(temp.path, 'holder.mjs');
    copyFileSync(fixture.path, copy);
    mkdirSync(join(temp.path, 'node_modules'));
    symlinkSync(
      join(ROOT, 'node_modules/proper-lockfile'),
      join(temp.path, 'node_modules/proper-lockfile'),
    );
    const say = async (folder: string, wanted: string): Promise<string> => {
      await using child = startFixture(copy, [join(temp.path, folder), wanted, 'p', 'kind']);
      return (await child.waitForLines(1)).join('\n');
    };
    expect(await say('fresh', '')).toBe('kind portable');
    expect(await say('wanted', 'kernel')).toMatch(
      /^fault cannot_create .* can't have a kernel lock \(.*: set PODD_SCOPE_LOCK=portable, or PODD_SCOPE_REGISTRY /,
    );
    await open(join(temp.path, 'old'), 'kernel');
    expect(await say('old', '')).toMatch(
      /^fault cannot_create .*is guarded by a kernel lock, .*remove the folder and set PODD_SCOPE_LOCK=portable$/,
    );
    expect(kindFile(join(temp.path, 'old'))).toEqual({ format: 1, kind: 'kernel' });
  });
});
