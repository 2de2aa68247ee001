import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { TempPod } from '../support/temp-pod.ts';

type Call = readonly [tool: 'Read' | 'Write', path: string];
type Told = { readonly summary: string; readonly content?: string; readonly isError: boolean };

/** A manifest may read so, too. */
const OWN = '# own';

/** A Pod whose scope covers its whole home, where its daemon keeps everything too. */
function homePod(): TempPod {
  const pod = new TempPod({ script: '' });
  const manifest = join(pod.folder, 'pod.toml');
  const narrow = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, narrow.replace(`"${pod.workspace}"`, `"${pod.folder}"`));
  return pod;
}

function place(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, OWN);
  return path;
}

/** Lets the model make these calls, and answers what became of each. */
async function play(pod: TempPod, calls: readonly Call[]): Promise<Told[]> {
  const steps = calls.map(
    ([name, path]) =>
      `[[steps.tool_calls]]\nname = "${name}"\narguments.file_path = ${JSON.stringify(path)}\n` +
      (name === 'Write' ? 'arguments.content = "changed"\n' : ''),
  );
  pod.script(`[[steps]]\n${steps.join('')}[[steps]]\ntext = "done"\n`);
  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  await client.call('Run', { input: 'go' });
  const told = client.events
    .filter(({ event }) => event === 'tool_result')
    .map(({ data }) => data as unknown as Told);
  expect(told).toHaveLength(calls.length);
  await expectSound(pod, client);
  return told;
}

describe('the daemon’s own files', () => {
  test('SCOPE-18: a Pod whose scope covers its home reaches none of them', async () => {
    await using pod = homePod();
    const settings = place(join(pod.folder, '.config/podd/manifest.toml'));
    const paths = [
      join(pod.state, 'db/level/CURRENT'),
      join(pod.state, 'podd.log'),
      join(pod.folder, 'run', pod.name, 'pid'),
      join(pod.folder, 'run', pod.name, 'manifest.toml'),
      pod.socket,
      join(pod.registry, 'scope.json'),
      join(pod.registry, pod.name, 'allocation.json'),
      settings,
    ];
    const fresh = [
      join(pod.state, 'db/level/CURRENT.new'),
      join(pod.state, 'db/new'),
      join(pod.folder, 'run/q/sock'),
      join(pod.registry, 'q/allocation.json'),
      join(pod.folder, '.config/podd/prompts/default.md'),
    ];
    const calls = [
      ...paths.map((path): Call => ['Read', path]),
      ...[...paths, ...fresh].map((path): Call => ['Write', path]),
    ];
    const told = await play(pod, calls);
    for (const [at, { summary, isError }] of told.entries()) {
      expect(isError, summary).toBe(true);
      expect(summary).toBe(`${calls[at]?.[1] ?? ''} is outside this Pod's scope`);
    }
    expect(readFileSync(settings, 'utf8')).toBe(OWN);
    expect(readdirSync(join(pod.folder, '.config/podd'))).toEqual(['manifest.toml']);
  });

  test('SCOPE-18: the manifest in force and a project’s .podd are read, and written by no tool', async () => {
    await using pod = homePod();
    const manifest = join(pod.folder, 'pod.toml');
    const before = readFileSync(manifest, 'utf8');
    const project = place(join(pod.workspace, '.podd/manifest.toml'));
    const fresh = join(pod.workspace, 'sub/.podd/manifest.toml');
    const beside = join(pod.folder, 'pod.toml.bak');
    const told = await play(pod, [
      ['Read', manifest],
      ['Read', project],
      ['Write', manifest],
      ['Write', project],
      ['Write', fresh],
      ['Write', beside],
    ]);
    expect(told.map(({ isError }) => isError)).toEqual([false, false, true, true, true, false]);
    for (const { summary } of told.slice(2, 5))
      expect(summary).toContain('may be read, not written');
    expect(readFileSync(manifest, 'utf8')).toBe(before);
    expect(readFileSync(project, 'utf8')).toBe(OWN);
    expect(readdirSync(pod.workspace)).toEqual(['.podd']);
    expect(readFileSync(beside, 'utf8')).toBe('changed');
  });

  test('PATH-3: a Pod reads what is kept in its own spool, not in another’s, and writes in neither', async () => {
    const script = '[[steps]]\ntext = "x"\n';
    await using pod = new TempPod({ script });
    const mine = place(join(pod.state, 'spool/call-1'));
    const other = place(join(pod.folder, 'state/pods/q/spool/call-1'));
    const told = await play(pod, [
      ['Read', mine],
      ['Read', other],
      ['Write', mine],
      ['Write', `${mine}-new`],
      ['Write', other],
    ]);
    expect(told.map(({ isError }) => isError)).toEqual([false, true, true, true, true]);
    expect(told[0]?.content).toContain('own');
    expect(told[1]?.summary).toContain('outside');
    expect(told[2]?.summary).toContain('may be read, not written');
    expect(readFileSync(mine, 'utf8')).toBe(OWN);
    expect(readdirSync(dirname(mine))).toEqual(['call-1']);
  });

  test('PATH-1 PATH-3: the folders of a Pod’s state are its user’s alone, its spool too, whatever the umask', async () => {
    const umask = process.umask(0o000);
    try {
      await using pod = new TempPod({ script: '[[steps]]\ntext = "x"\n' });
      await pod.start();
      const folders = [pod.state, join(pod.state, 'spool'), join(pod.state, 'db')];
      for (const folder of folders) expect(statSync(folder).mode & 0o777, folder).toBe(0o700);
      using client = await pod.client();
      await client.call('Run', { input: 'go' });
      await expectSound(pod, client);
      expect(readdirSync(pod.state)).toContain('spool');
    } finally {
      process.umask(umask);
    }
  });
});
