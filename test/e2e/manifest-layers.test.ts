import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endOfPodd } from '../support/podd-end.ts';
import { TempPod } from '../support/temp-pod.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

/** The user's own manifest, where podd looks for it. */
function userManifest(pod: TempPod, text: string): void {
  mkdirSync(join(pod.folder, '.config/podd'), { recursive: true });
  writeFileSync(join(pod.folder, '.config/podd/manifest.toml'), text);
}

test('MAN-2 START-1: a Pod is made of the user’s manifest, the named one, overlays and a name', async () => {
  const args = ['--name', 'q', '--overlay', 'worker.max_turns = 7'];
  await using pod = new TempPod({ script: SCRIPT, args });
  userManifest(
    pod,
    '[worker]\nmax_turns = 3\ntool_output.default_max_bytes = 99\n[[scope.deny]]\ntarget = "x"\npermission = "read"',
  );
  expect(await pod.start()).toMatchObject({ pod: 'q' });
  const resolved = readFileSync(join(pod.folder, 'run/q/manifest.toml'), 'utf8');
  expect(resolved).toContain('name = "q"');
  expect(resolved).toContain('max_turns = 7');
  expect(resolved).toContain('default_max_bytes = 99');
  expect(resolved).toContain(`target = "${pod.folder}/.config/podd/x"`);
});

test('START-7 START-1: --bare leaves the user’s manifest out', async () => {
  await using pod = new TempPod({ script: SCRIPT, args: ['--bare'] });
  userManifest(pod, 'this is no TOML');
  await pod.start();
  const ended = endOfPodd(pod);
  expect(ended).toMatchObject({ code: 78, out: '' });
  expect(ended.says).toContain(`manifest ${pod.folder}/.config/podd/manifest.toml: 1:`);
});

test('MAN-4 START-1: --check tells whether a Pod can be made here, and makes and claims nothing', async () => {
  await using pod = new TempPod({ script: SCRIPT });
  const before = readdirSync(pod.folder);
  const manifest = join(pod.folder, 'pod.toml');
  expect(endOfPodd(pod, ['--manifest', manifest, '--check'])).toEqual({
    code: 0,
    says: '',
    out: `podd: a Pod p can be made of ${manifest} here\n`,
  });
  const broken = endOfPodd(pod, ['--manifest', manifest, '--check', '--name', 'No']);
  expect(broken).toMatchObject({ code: 78, out: '' });
  expect(broken.says).toContain('--name: pod.name expected a name');
  expect(endOfPodd(pod, ['--manifest', manifest, '--check'], { cwd: '/' })).toMatchObject({
    code: 78,
  });
  expect(readdirSync(pod.folder)).toEqual(before);
});
