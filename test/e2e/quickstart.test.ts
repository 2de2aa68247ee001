import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TEST_KEY } from '../support/claude-pod.ts';
import { type Asked, type Conduct, ModelServer } from '../support/model-server.ts';
import { QuickstartRun } from '../support/quickstart-run.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const DENIES_ALL = 'scope.deny = [{ target = "/", permission = "read" }]';
const RED = '✖ the median does not depend on how many digits the values have';
const GREEN = '✔ the median does not depend on how many digits the values have';

/** A tree like this one, installed and built, but with a script of its own for the model. */
function treeWith(folder: string, change: (script: string) => string): string {
  for (const part of ['node_modules', 'dist']) symlinkSync(join(ROOT, part), join(folder, part));
  mkdirSync(join(folder, 'scripts'));
  for (const part of ['scripts/quickstart', 'scripts/install-needs', 'manifests'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const script = join(folder, 'manifests/quickstart.script.toml');
  const before = readFileSync(script, 'utf8');
  const after = change(before);
  if (after === before) throw new Error('the script is as it was');
  writeFileSync(script, after);
  return folder;
}

function expectNothingLeft(run: QuickstartRun): void {
  expect(run.processes()).toEqual([]);
  expect(readdirSync(run.temp)).toEqual([]);
  // npm's cache is npm's; it is there only if something had to be installed.
  expect(readdirSync(run.home).filter((name) => name !== '.npm')).toEqual([]);
}

describe('scripts/quickstart', () => {
  test('CLI-5: the bundled test is red before and green after, and nothing is left behind', async () => {
    await using run = new QuickstartRun(ROOT);
    expect(await run.exit(), run.output).toBe(0);
    const [before = '', after = ''] = run.output.split('The test after');
    expect(before).toContain(RED);
    expect(before).not.toContain(GREEN);
    expect(after).toContain(GREEN);
    expect(after).not.toContain('✖');
    expect(run.output).toMatch(/→ Read \S+\/median\.js/);
    expect(run.output).toMatch(/→ Edit \S+\/median\.js/);
    expect(run.output).toMatch(/session [\da-f-]{36} was kept in \S+\/state\/pods\/quickstart/);
    expectNothingLeft(run);
  });

  test('CLI-5: the bundled program stays as it is', () => {
    expect(readFileSync(join(ROOT, 'manifests/quickstart/median.js'), 'utf8')).toContain('.sort()');
  });

  test('CLI-5: an edit that mends nothing ends in failure, and nothing is left behind', async () => {
    await using folder = await tempFolder();
    const tree = treeWith(folder.path, (script) => script.replaceAll('a - b', 'b - b'));
    await using run = new QuickstartRun(tree);
    expect(await run.exit(), run.output).toBe(1);
    expect(run.output).toContain('the test still fails');
    expectNothingLeft(run);
  });

  test('CLI-5: an agent that fails ends in failure, and nothing is left behind', async () => {
    await using folder = await tempFolder();
    const tree = treeWith(folder.path, (script) =>
      script.replaceAll(/when = .*(Read|a - b).*/g, "when = 'never'"),
    );
    await using run = new QuickstartRun(tree);
    expect(await run.exit(), run.output).toBe(1);
    expect(run.output).toContain('the agent did not finish');
    expectNothingLeft(run);
  });

  test('CLI-5: Ctrl-C in the middle of a run leaves nothing behind', async () => {
    await using folder = await tempFolder();
    const tree = treeWith(folder.path, (script) =>
      script.replace('delay_ms = 10', 'delay_ms = 60_000'),
    );
    await using run = new QuickstartRun(tree);
    await run.says('podd runs (pid');
    expect(run.processes().join('\n')).toContain('podd.js');
    run.interrupt();
    expect(await run.exit(), run.output).toBe(130);
    expectNothingLeft(run);
  });

  test('CLI-5 PROV-7: with a key the agent is Claude, who mends the same, and the key is nowhere in what is said', async () => {
    await using server = new ModelServer();
    const path = (asked: Asked, name: string): string => {
      const prompt = String(asked.body.system?.[0]?.['text']);
      return join(/\/\S+\/quickstart(?=\s)/.exec(prompt)?.[0] ?? '', name);
    };
    const call = (name: string, input: object): Conduct => ({
      kind: 'answer',
      blocks: [{ call: name, name, input }],
    });
    server.conduct(
      (asked) => call('Read', { file_path: path(asked, 'median.js') }),
      (asked) =>
        call('Edit', {
          file_path: path(asked, 'median.js'),
          old_string: '.sort()',
          new_string: '.sort((a, b) => a - b)',
        }),
      { kind: 'answer', blocks: [{ text: 'Mended.' }] },
    );
    const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: await server.listen() };
    await using run = new QuickstartRun(ROOT, [], { env });
    expect(await run.exit(), run.output).toBe(0);
    expect(run.output).toContain('Its model is Claude');
    expect(run.output).toContain('Red before, green after.');
    expect(run.output).not.toContain(TEST_KEY);
    expect(server.asked[0]?.headers['x-api-key']).toBe(TEST_KEY);
    expect(server.asked[0]?.body).toMatchObject({ model: 'claude-haiku-5-5', max_tokens: 8192 });
    expect(server.refused).toEqual([]);
    expectNothingLeft(run);
  });

  test('CLI-5: --scripted needs no model where there is a key, and a model that fails ends in failure', async () => {
    await using server = new ModelServer({
      kind: 'status',
      status: 401,
      type: 'authentication_error',
      message: 'no such key',
    });
    const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: await server.listen() };
    await using failed = new QuickstartRun(ROOT, [], { env });
    expect(await failed.exit(), failed.output).toBe(1);
    expect(failed.output).toContain('no such key');
    expect(failed.output).toContain('--scripted needs no model');
    await using scripted = new QuickstartRun(ROOT, ['--scripted'], { env });
    expect(await scripted.exit(), scripted.output).toBe(0);
    expect(server.asked).toHaveLength(1);
    for (const run of [failed, scripted]) expectNothingLeft(run);
  });

  test('CLI-5: --keep leaves the program and the session where it says, whatever manifest the user has', async () => {
    await using run = new QuickstartRun(ROOT, ['--keep'], { userManifest: DENIES_ALL });
    expect(await run.exit(), run.output).toBe(0);
    expect(run.processes()).toEqual([]);
    const kept = /was kept in (\S+)\/state\/pods\/quickstart/.exec(run.output)?.[1] ?? '';
    expect(readFileSync(join(kept, 'quickstart/median.js'), 'utf8')).toContain('a - b');
    expect(readdirSync(join(kept, 'state/pods/quickstart'))).toContain('db');
  });
});
