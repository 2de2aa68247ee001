import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

  test('CLI-5: --keep leaves the program and the session where it says, whatever manifest the user has', async () => {
    await using run = new QuickstartRun(ROOT, ['--keep'], DENIES_ALL);
    expect(await run.exit(), run.output).toBe(0);
    expect(run.processes()).toEqual([]);
    const kept = /was kept in (\S+)\/state\/pods\/quickstart/.exec(run.output)?.[1] ?? '';
    expect(readFileSync(join(kept, 'quickstart/median.js'), 'utf8')).toContain('a - b');
    expect(readdirSync(join(kept, 'state/pods/quickstart'))).toContain('db');
  });
});
