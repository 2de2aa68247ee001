import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { NO_COMPACTION_SECTION } from '../../daemon/core/compaction-settings.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { loadManifest, type ManifestSources } from '../../daemon/manifest/load-manifest.ts';
import type { Manifest } from '../../daemon/manifest/parse-manifest.ts';
import { resolveScope } from '../../daemon/manifest/resolve-scope.ts';
import { loadScript } from '../../daemon/model/scripted/load-script.ts';
import { outcomeOf } from '../contract/model.contract.ts';
import { tempFolder } from '../support/temp-folder.ts';

const alone = (manifest: string): ManifestSources => ({
  pod: { kind: 'file', file: manifest },
  user: null,
  overlays: [],
  cwd: () => '/cwd',
  home: '/home/u',
});
const TEXT = `
pod.name = "a"
provider = { kind = "scripted", script = "s.toml" }
scope.allow = [{ target = "w", permission = "write" }]
`;

async function messageOf(work: () => Promise<unknown>): Promise<string> {
  const error = await outcomeOf(work);
  return error instanceof Error ? error.message : 'nothing was thrown';
}

describe('loadManifest', () => {
  test('MAN-3: paths are relative to the folder of the manifest', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'm.toml');
    await writeFile(file, TEXT);
    const manifest = await loadManifest(alone(file));
    expect(manifest.provider).toMatchObject({ scriptPath: join(folder.path, 's.toml') });
    expect(manifest.scope.allow[0]?.target).toBe(join(folder.path, 'w'));
  });

  test('MAN-4: a broken manifest ends the start with every problem', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'm.toml');
    await writeFile(file, TEXT.replace('"a"', '"A B"').replace('script =', 'scrip ='));
    const fault = await outcomeOf(() => loadManifest(alone(file)));
    expect(fault).toMatchObject({ code: 'manifest_invalid', data: { file } });
    expect((fault as { data: { problems: string[] } }).data.problems).toHaveLength(3);
    expect(await messageOf(() => loadManifest(alone(file)))).toContain(
      `manifest ${file}: pod.name expected a name of 1 to 64`,
    );
  });

  test('MAN-4: what is no readable text file is refused, and a FIFO is not waited on', async () => {
    await using folder = await tempFolder();
    const at = (name: string): string => join(folder.path, name);
    await promisify(execFile)('mkfifo', [at('fifo')]);
    await writeFile(at('latin'), Buffer.from([0x61, 0xe4]));
    await writeFile(at('large'), '#'.repeat(LIMITS.manifestBytes + 1));
    await writeFile(at('full'), TEXT + '#'.repeat(LIMITS.manifestBytes - TEXT.length));
    const says = (name: string): Promise<string> => messageOf(() => loadManifest(alone(at(name))));
    expect(await says('none')).toBe(`manifest ${at('none')} does not exist`);
    expect(await says('.')).toBe(`manifest ${at('.')} is a directory, not a file`);
    expect(await says('fifo')).toBe(
      `manifest ${at('fifo')} is not a regular file; what a pipe brings is read with --manifest -`,
    );
    expect(await says('latin')).toBe(`manifest ${at('latin')} is not UTF-8`);
    expect(await says('large')).toBe(`manifest ${at('large')} has more than 1048576 bytes`);
    expect(await says('full')).toBe('nothing was thrown');
  });
});

describe('loadScript', () => {
  test('PROV-6: a script that can not be played ends the start, naming the file', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 's.toml');
    expect(await messageOf(() => loadScript(file))).toBe(`script ${file} does not exist`);
    await writeFile(file, '[[steps]]\ntxt = "x"\nwhen = 3');
    const fault = await outcomeOf(() => loadScript(file));
    expect(fault).toMatchObject({
      code: 'provider_unusable',
      message: `script ${file}: steps[0].when expected a string, got 3; steps[0].txt is not known; did you mean text?`,
    });
    await writeFile(file, '[[steps]]\ntext = "x"');
    expect((await loadScript(file)).steps).toHaveLength(1);
  });
});

describe('resolveScope', () => {
  const withTarget = (target: string): Manifest => ({
    file: 'm.toml',
    pod: { name: 'a' },
    provider: { kind: 'scripted', scriptPath: '/s', contextWindow: null, maxRetries: 5 },
    maxTokens: null,
    sampling: { temperature: null, topP: null, stop: [] },
    notifications: 'history',
    maxTurns: null,
    toolOutput: { defaultBytesMax: 1, perTool: new Map() },
    scope: { allow: [{ target, permission: 'read', recursive: true }], deny: [] },
    instruction: { reference: '$podd/default', source: null, ofProject: null },
    compaction: { ...NO_COMPACTION_SECTION, provider: null },
    warnings: [],
    origins: new Map(),
  });
  const resolved = async (target: string): Promise<string> => {
    try {
      return (await resolveScope(withTarget(target))).allow[0]?.target ?? '';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };

  test('SCOPE-1: links are followed, and a target that is not there yet goes through what is', async () => {
    await using folder = await tempFolder();
    const root = folder.path;
    await mkdir(join(root, 'real/deep'), { recursive: true });
    await symlink('real', join(root, 'link'));
    await symlink(join(root, 'link/deep'), join(root, 'far'));
    await symlink('real/later', join(root, 'dangling'));
    const table: [string, string][] = [
      ['real', 'real'],
      ['link', 'real'],
      ['far', 'real/deep'],
      ['link/./deep//', 'real/deep'],
      ['link/new/er', 'real/new/er'],
      ['dangling', 'real/later'],
      ['dangling/x', 'real/later/x'],
      // The parent of where the link leads, not of where it lies.
      ['far/..', 'real'],
      ['far/../other', 'real/other'],
      ['new/../real', 'real'],
    ];
    for (const [target, expected] of table)
      expect(await resolved(`${root}/${target}`)).toBe(join(root, expected));
    expect(await resolved('/../..')).toBe('/');
  });

  test('SCOPE-1: a target that can lead nowhere ends the start', async () => {
    await using folder = await tempFolder();
    const root = folder.path;
    await symlink('loop', join(root, 'loop'));
    await writeFile(join(root, 'file'), '');
    expect(await resolved(`${root}/loop`)).toBe(
      `manifest m.toml: scope.allow[0].target ${root}/loop leads through more than 40 links`,
    );
    expect(await resolved(`${root}/file/x`)).toBe(
      `manifest m.toml: scope.allow[0].target ${root}/file/x can't exist: ${root}/file is not a folder`,
    );
    expect(await resolved(`${root}/${'n'.repeat(300)}`)).toContain(
      "can't be looked up (ENAMETOOLONG)",
    );
  });
});

describe('loadManifest, of layers', () => {
  test('MAN-2 MAN-3: a user manifest, a named one and two overlays, each with paths relative to its own folder', async () => {
    await using folder = await tempFolder();
    const user = { file: join(folder.path, 'config/manifest.toml'), isNamed: false };
    await mkdir(join(folder.path, 'config'));
    await mkdir(join(folder.path, 'project'));
    await writeFile(
      user.file,
      `provider = { kind = "scripted", script = "u.toml" }
       scope.deny = [{ target = "~/.ssh", permission = "read" }]
       worker.max_turns = 4`,
    );
    const manifest = join(folder.path, 'project/m.toml');
    await writeFile(
      manifest,
      'pod.name = "m"\nscope.allow = [{ target = "src", permission = "write" }]',
    );
    const sources = { ...alone(manifest), user, cwd: () => '/work/here' };
    const overlays = [
      {
        source: '--overlay (1 of 2)',
        text: 'scope.allow = [{ target = "../b", permission = "read" }]',
      },
      { source: '--overlay (2 of 2)', text: 'worker.max_turns = 9\nscope.deny = []' },
    ];
    expect(await loadManifest({ ...sources, overlays })).toMatchObject({
      file: manifest,
      pod: { name: 'm' },
      provider: { scriptPath: join(folder.path, 'config/u.toml') },
      maxTurns: 9,
      scope: {
        allow: [
          { target: join(folder.path, 'project/src') },
          { target: '/work/here/../b', permission: 'read' },
        ],
        deny: [{ target: '/home/u/.ssh' }],
      },
    });
  });

  test('MAN-4: each problem is told of the layer that has it', async () => {
    await using folder = await tempFolder();
    const manifest = join(folder.path, 'm.toml');
    const user = { file: join(folder.path, 'u.toml'), isNamed: true };
    await writeFile(manifest, TEXT);
    await writeFile(user.file, '[worker]\nmax_turn = 1');
    const overlays = [{ source: '--overlay', text: 'worker = {' }];
    expect(await messageOf(() => loadManifest({ ...alone(manifest), user, overlays }))).toMatch(
      new RegExp(
        `^manifest ${user.file}: worker.max_turn .*did you mean max_turns\\?; --overlay: 1:\\d+ `,
      ),
    );
    const named = [{ source: '--name', text: 'pod.name = "No"' }];
    expect(await messageOf(() => loadManifest({ ...alone(manifest), overlays: named }))).toContain(
      '--name: pod.name expected a name of 1 to 64',
    );
  });

  test('MAN-4: a target that leads nowhere is told of the layer that named it', async () => {
    await using folder = await tempFolder();
    const manifest = join(folder.path, 'm.toml');
    await writeFile(manifest, TEXT);
    const text = `scope.deny = [{ target = "${manifest}/x", permission = "read" }]`;
    const overlays = [{ source: '--overlay', text }];
    const loaded = await loadManifest({ ...alone(manifest), overlays });
    expect(await messageOf(() => resolveScope(loaded))).toBe(
      `--overlay: scope.deny[0].target ${manifest}/x can't exist: ${manifest} is not a folder`,
    );
  });

  test('MAN-2: the user manifest may be missing, unless it was named', async () => {
    await using folder = await tempFolder();
    const manifest = join(folder.path, 'm.toml');
    await writeFile(manifest, TEXT);
    const file = join(folder.path, 'none.toml');
    const load = (isNamed: boolean): Promise<Manifest> =>
      loadManifest({ ...alone(manifest), user: { file, isNamed } });
    expect((await load(false)).pod.name).toBe('a');
    expect(await messageOf(() => load(true))).toBe(`manifest ${file} does not exist`);
  });
});
