import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildScopeView, findOwnFiles } from '../../daemon/app/build-scope.ts';
import { openFiles } from '../../daemon/files/open-files.ts';
import { resolvePaths } from '../../daemon/manifest/paths.ts';
import { createGate } from '../../daemon/pod/gate.ts';
import type { Files } from '../../daemon/ports/files.ts';
import type { ScopeView } from '../../daemon/ports/scope-view.ts';
import { allow, tempTree, writable } from '../support/temp-tree.ts';

const { signal } = new AbortController();
const EMPTY = { allow: [], deny: [] };

async function read(files: Files, path: string): Promise<string> {
  const opened = await files.openForRead(path, signal);
  if (!opened.ok) return opened.error.kind;
  await using file = opened.value;
  return `${file.bytes} bytes`;
}

async function write(files: Files, path: string): Promise<string> {
  const opened = await files.openForWrite(path, signal);
  if (!opened.ok) return opened.error.kind;
  await using target = opened.value;
  const done = await target.replace(Buffer.from('changed'), signal);
  return done.ok ? 'written' : done.error.kind;
}

type Environment = Readonly<Record<string, string>>;

/** The view of a Pod that may write all of `home`, where its daemon keeps everything too. */
async function viewIn(home: string, env: Environment = {}, scope = home): Promise<ScopeView> {
  const paths = resolvePaths(env, home, 'p');
  if (!paths.ok) throw new TypeError(paths.error);
  const own = await findOwnFiles(paths.value, {
    registry: `${home}/registry`,
    manifests: [join(home, 'pod.toml')],
    untrusted: null,
    secrets: [],
  });
  return buildScopeView(writable(scope), own);
}

async function place(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'own');
  return path;
}

const CLOSED = [
  '.podd/run/p/sock',
  '.local/state/podd/pods/p/db/level/CURRENT',
  '.local/state/podd/pods/q/spool/call-1',
  'registry/scope.json',
  '.config/podd/manifest.toml',
];
const READ_ONLY = ['pod.toml', 'project/.podd/manifest.toml', '.podd/trust.json'];
const KEPT = '.local/state/podd/pods/p/spool/call-1';

describe('the daemon’s own files', () => {
  test('SCOPE-18: they are out of reach though the scope covers them, and what configures a Pod is read-only', async () => {
    await using tree = await tempTree();
    const files = openFiles(await viewIn(tree.inside));
    for (const name of CLOSED) {
      const path = await place(join(tree.inside, name));
      expect(await read(files, path), name).toBe('outside_scope');
      expect(await write(files, path), name).toBe('outside_scope');
      expect(await write(files, `${path}-new`), name).toBe('outside_scope');
      expect(await read(files, `${path}-missing`), name).toBe('outside_scope');
      expect(await readFile(path, 'utf8')).toBe('own');
    }
    for (const name of READ_ONLY) {
      const path = await place(join(tree.inside, name));
      expect(await read(files, path), name).toBe('3 bytes');
      expect(await write(files, path), name).toBe('not_writable');
      expect(await readFile(path, 'utf8')).toBe('own');
    }
    expect(await write(files, join(tree.inside, 'other/.podd/manifest.toml'))).toBe('not_writable');
    expect(await write(files, join(tree.inside, 'other/.podd'))).toBe('not_writable');
    expect(await write(files, join(tree.inside, 'project/main.ts'))).toBe('written');
  });

  test('PATH-3: this Pod’s kept outputs are read, also where no scope covers them, and never written', async () => {
    await using tree = await tempTree();
    const path = await place(join(tree.inside, KEPT));
    for (const scope of [tree.inside, tree.outside]) {
      const files = openFiles(await viewIn(tree.inside, {}, scope));
      expect(await read(files, path)).toBe('3 bytes');
      expect(await read(files, `${path}-missing`)).toBe('missing');
      expect(await write(files, path)).toBe('not_writable');
      expect(await write(files, `${path}-new`)).toBe('not_writable');
      expect(await read(files, join(dirname(dirname(path)), 'podd.log'))).toBe('outside_scope');
    }
  });

  test('SCOPE-18: links lead neither into them nor out of the kept ones', async () => {
    await using tree = await tempTree();
    const files = openFiles(await viewIn(tree.inside));
    const spool = dirname(await place(join(tree.inside, KEPT)));
    const store = await place(join(tree.inside, '.local/state/podd/pods/p/db/level/CURRENT'));
    const manifest = await place(join(tree.inside, 'pod.toml'));
    const secret = await place(join(tree.outside, 'secret'));
    await symlink('.local', join(tree.inside, 'alias'));
    await symlink(store, join(tree.inside, 'to-store'));
    await symlink(manifest, join(tree.inside, 'to-manifest'));
    await symlink(secret, join(spool, 'out'));
    await symlink('../db', join(spool, 'db'));
    const at = (name: string): string => join(tree.inside, name);
    expect(await read(files, at('to-store'))).toBe('outside_scope');
    expect(await write(files, at('to-store'))).toBe('outside_scope');
    expect(await write(files, at('alias/state/podd/new'))).toBe('outside_scope');
    expect(await write(files, at('to-manifest'))).toBe('not_writable');
    expect(await read(files, at('alias/state/podd/pods/p/spool/call-1'))).toBe('3 bytes');
    expect(await read(files, `${spool}/out`)).toBe('outside_scope');
    expect(await read(files, `${spool}/db/level/CURRENT`)).toBe('outside_scope');
    expect(await write(files, `${spool}/../db/level/CURRENT`)).toBe('outside_scope');
    expect(await readFile(store, 'utf8')).toBe('own');
  });

  test('SCOPE-18: they are known by every name when the environment names them through links, made or not yet', async () => {
    await using tree = await tempTree();
    await mkdir(join(tree.inside, 'real'));
    await symlink('real', join(tree.inside, 'state'));
    await symlink('later', join(tree.inside, 'run'));
    await writeFile(join(tree.inside, 'stateful'), 'text');
    const env = {
      PODD_STATE_DIR: join(tree.inside, 'state'),
      PODD_RUNTIME_DIR: join(tree.inside, 'run'),
      XDG_CONFIG_HOME: join(tree.inside, 'real/../settings'),
    };
    const files = openFiles(await viewIn(tree.inside, env));
    await place(join(tree.inside, 'real/pods/p/podd.log'));
    await place(join(tree.inside, 'real/pods/p/spool/call-1'));
    await place(join(tree.inside, 'later/p/pid'));
    await place(join(tree.inside, 'settings/podd/manifest.toml'));
    for (const path of [
      'real/pods/p/podd.log',
      'state/pods/p/podd.log',
      'real',
      'state',
      'later/p/pid',
      'run/p/pid',
      'settings/podd/manifest.toml',
    ])
      expect(await read(files, join(tree.inside, path)), path).toBe('outside_scope');
    expect(await read(files, join(tree.inside, 'state/pods/p/spool/call-1'))).toBe('3 bytes');
    expect(await read(files, join(tree.inside, 'stateful'))).toBe('4 bytes');
  });

  test('SCOPE-18: the gate and the files port say the same', async () => {
    await using tree = await tempTree();
    const scope = await viewIn(tree.inside);
    const files = openFiles(scope);
    const gate = createGate(scope, files);
    for (const name of [...CLOSED, ...READ_ONLY, KEPT, 'main.ts'])
      for (const need of ['read', 'write'] as const) {
        const path = await place(join(tree.inside, name));
        const access = { path, need };
        const call = { callId: 'c', name: 'Read', args: {}, accesses: [access] };
        const opened =
          need === 'read'
            ? await files.openForRead(path, signal)
            : await files.openForWrite(path, signal);
        const answer = await gate.call(call, signal);
        expect(answer.kind, `${need} ${name}`).toBe(opened.ok ? 'allowed' : 'denied');
        if (opened.ok) await opened.value[Symbol.asyncDispose]();
      }
  });

  test('SCOPE-18: what is told of a scope and what is delegated of it stay what they are', async () => {
    await using tree = await tempTree();
    const scope = await viewIn(tree.inside);
    const rules = { allow: [allow(tree.inside, 'write')], deny: [] };
    expect([scope.own(), scope.effective(), scope.delegated()]).toEqual([rules, rules, EMPTY]);
  });
});
