import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RegistryTable } from '../../protocol/registry.ts';
import { endOfPodd } from '../support/podd-end.ts';
import { TempPod } from '../support/temp-pod.ts';

const SAYS = 'loop = true\n[[steps]]\ntext = "hello"\n';
const BROKEN = '[[steps]]\nwhen = "("\n';

function owners(registry: string): string[] {
  const table = JSON.parse(readFileSync(join(registry, 'scope.json'), 'utf8')) as RegistryTable;
  return table.allocations.map(({ pod }) => pod);
}

describe('podd', () => {
  test('SCOPE-3 EXIT-1: 78 without an allow rule, in a folder that is gone, and in one that the scope can’t read', async () => {
    await using pod = new TempPod({ script: SAYS });
    const manifest = join(pod.folder, 'pod.toml');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, text.slice(0, text.indexOf('[[scope.allow]]')));
    expect(endOfPodd(pod)).toMatchObject({
      code: 78,
      says: expect.stringContaining('scope') as string,
    });
    writeFileSync(manifest, text);
    expect(endOfPodd(pod, undefined, { cwd: '/' })).toMatchObject({
      code: 78,
      says: expect.stringContaining('the working directory / is outside the Pod') as string,
    });
    const gone = join(pod.workspace, 'gone');
    mkdirSync(gone);
    // A shell removes the folder under podd's feet.
    const removed = endOfPodd(pod, ['--manifest', manifest], {
      cwd: gone,
      env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(REMOVE_CWD)}` },
    });
    expect(removed).toMatchObject({
      code: 78,
      says: expect.stringContaining('the working directory is gone') as string,
    });
    expect(readdirSync(pod.folder)).not.toContain('registry');
  });

  test('START-2 EXIT-1: the earliest fault decides the code, and what came before it is undone', async () => {
    await using first = new TempPod({ script: SAYS, name: 'first' });
    await using pod = new TempPod({
      script: SAYS,
      name: 'p',
      registry: first.registry,
      target: first.workspace,
    });
    await pod.start();
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    unlinkSync(join(pod.state, 'db/level/CURRENT'));
    writeFileSync(join(pod.folder, 'run', 'p'), 'a file where the runtime folder is to be');
    pod.script(BROKEN);
    await first.start();

    const manifest = join(pod.folder, 'pod.toml');
    const good = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, `${good}\n[nonsense]\n`);
    expect(endOfPodd(pod)).toMatchObject({ code: 78 });
    writeFileSync(manifest, good);
    expect(endOfPodd(pod)).toMatchObject({ code: 75 });
    await first.kill9();
    expect(endOfPodd(pod)).toMatchObject({ code: 69 });
    expect(owners(pod.registry)).toEqual([]);
    pod.script(SAYS);
    expect(endOfPodd(pod)).toMatchObject({ code: 65 });
    rmSync(join(pod.state, 'db'), { recursive: true });
    expect(endOfPodd(pod)).toMatchObject({ code: 73 });
    expect(owners(pod.registry)).toEqual([]);
    rmSync(join(pod.folder, 'run', 'p'));
    await pod.start();
  });

  test('SCOPE-5 EXIT-1: 73 for a registry that can’t be used, 78 for one of another format; both say what to do', async () => {
    await using pod = new TempPod({ script: SAYS });
    writeFileSync(pod.registry, 'a file');
    const unusable = endOfPodd(pod);
    expect(unusable).toMatchObject({ code: 73 });
    expect(unusable.says).toContain('PODD_SCOPE_REGISTRY');
    expect(unusable.says.trim().split('\n')).toHaveLength(1);
    rmSync(pod.registry);
    await pod.start();
    await pod.kill9();
    writeFileSync(join(pod.registry, 'scope.json'), '{"format":9,"rev":1}');
    const other = endOfPodd(pod);
    expect(other).toMatchObject({ code: 78 });
    expect(other.says).toMatch(/format 9.*knows 1/);
  });
});

const REMOVE_CWD = `import { rmdirSync } from 'node:fs'; rmdirSync(process.env.PWD ?? process.cwd());`;
