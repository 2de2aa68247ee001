import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { ROOT } from '../support/source-tree.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TempPod } from '../support/temp-pod.ts';

test(
  'START-6 CLI-1: the packed tarball runs on a machine that has only Node; protocol and client can be imported with types',
  async () => {
    await using folder = await tempFolder();
    const env = { ...process.env, HOME: folder.path };
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder.path], {
      cwd: ROOT,
      env: process.env,
      encoding: 'utf8',
    });
    const tarball = join(folder.path, packed.trim().split('\n').at(-1) ?? '');
    const modules = join(folder.path, 'node_modules');
    mkdirSync(join(modules, 'podd'), { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'podd'), '--strip-components=1']);
    expect(readdirSync(modules)).toEqual(['podd']);

    const podd = join(modules, 'podd/dist/podd.js');
    const run = (file: string, ...args: string[]): string =>
      execFileSync(process.execPath, [file, ...args], { cwd: folder.path, env, encoding: 'utf8' });
    expect(run(podd, '--version')).toMatch(/^podd \d+\.\d+\.\d+\n$/);
    expect(run(join(modules, 'podd/dist/podctl.js'), '--help')).toContain('podctl');

    await using pod = new TempPod({ script: '[[steps]]\ntext = "hello"\n', podd });
    await pod.start();
    // Where its native is missing, a fresh registry falls back to the other kind without a word.
    expect(readFileSync(join(pod.registry, 'lock.json'), 'utf8')).toContain('kernel');
    using client = await pod.client();
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });

    writeFileSync(
      join(folder.path, 'use.mjs'),
      `import { METHODS } from 'podd/protocol/methods';\nconsole.log(Object.keys(METHODS).join());\n`,
    );
    expect(run(join(folder.path, 'use.mjs'))).toContain('GetStatus');
    writeFileSync(
      join(folder.path, 'use-client.mjs'),
      [
        `import { connect } from 'podd/client';`,
        `await using_(await connect('${pod.socket}'));`,
        `async function using_(pod) {`,
        `  console.log((await pod.getStatus()).pod, Object.keys(pod).includes('notify'));`,
        `  await pod[Symbol.asyncDispose]();`,
        `}`,
      ].join('\n'),
    );
    expect(run(join(folder.path, 'use-client.mjs'))).toBe('p true\n');
    writeFileSync(
      join(folder.path, 'use-client.mts'),
      [
        `import { connect, startPod, PodError } from 'podd/client';`,
        `const { socket } = await startPod({ manifest: 'pod.toml' });`,
        `await using pod = await connect(socket, { signal: AbortSignal.timeout(5) });`,
        `const { text, outcome } = await pod.run({ input: 'x', inputId: 'i' });`,
        `for await (const event of pod.events({ after: { epoch: 1, seq: 2 } }))`,
        `  if (event.event === 'gap') console.log(event.data.missed);`,
        `  else if (event.event === 'text_done') console.log(event.data.text, text, outcome);`,
        `export const bad: number = (await pod.getStatus()).pod;`,
        `export const none = await pod.notify({ massage: 'x' });`,
        `export const error = new PodError('start_failed', 'x').code;`,
      ].join('\n'),
    );
    writeFileSync(
      join(folder.path, 'use.mts'),
      [
        `import type { Reply } from 'podd/protocol/methods';`,
        `export const good: Reply<'Unsubscribe'> = {};`,
        `export const bad: Reply<'GetStatus'> = 5;`,
      ].join('\n'),
    );
    // A dependency for its types alone: npm installs it with the package.
    cpSync(join(ROOT, 'node_modules/valibot'), join(modules, 'valibot'), { recursive: true });
    // What programs for Node in TypeScript have.
    for (const name of ['@types/node', 'undici-types'])
      cpSync(join(ROOT, 'node_modules', name), join(modules, name), { recursive: true });
    const tsc = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        ...['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'],
        ...['--lib', 'es2023,esnext.disposable', 'use.mts', 'use-client.mts'],
      ],
      { cwd: folder.path, env, encoding: 'utf8' },
    );
    expect(tsc.stdout.split('\n').filter((line) => line.startsWith('use'))).toEqual([
      expect.stringMatching(/^use-client\.mts\(8,14\): error TS2322: Type 'string'/),
      expect.stringMatching(/^use-client\.mts\(9,4\d\): error TS2561: .*'massage'/),
      expect.stringMatching(/^use\.mts\(3,14\): error TS2322: .*epoch: number/),
    ]);
  },
  deadline(60_000),
);
