import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadline, SLOWNESS } from '../support/slowness.ts';

/** One line of the product, broken, and the test that has to notice. */
export type Sabotage = {
  /** Spec ids of the promise that it breaks, and what it does, as a fact. */
  readonly breaks: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly test: NamedTest;
};

/** A test by its file and its whole title, without those of its suites. */
export type NamedTest = { readonly file: string; readonly title: string };

export type Verdict = 'passed' | 'failed' | 'not run';

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['daemon', 'protocol', 'client', 'test', 'scripts', 'manifests'];
const COPIED_FILES = ['package.json', 'tsconfig.json', 'vitest.config.ts'];

/** A copy of the sources that may be broken; the packages are shared. It is gone when it goes out of scope. */
export class SabotagedTree implements Disposable {
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'podd-sabotage-'));
    for (const name of [...COPIED, ...COPIED_FILES])
      if (existsSync(join(ROOT, name)))
        cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Runs the named test with one line broken, and mends that line again. */
  async judge({ file, find, replace, test }: Sabotage): Promise<Verdict> {
    const path = join(this.#folder, file);
    const whole = readFileSync(path, 'utf8');
    const [before, after, ...more] = whole.split(find);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`${file} has not exactly one place that reads: ${find}`);
    writeFileSync(path, `${before}${replace}${after}`);
    try {
      // One that only a deadline notices waits for it; twice what a test needs at home is time enough to fail in.
      const verdicts = await this.run([test], Math.min(SLOWNESS, 2));
      return verdicts.get(test.title) ?? 'not run';
    } finally {
      writeFileSync(path, whole);
    }
  }

  /** Runs these tests, and what they need built, as they are; answers by title. */
  async run(
    tests: readonly NamedTest[],
    slowness: number = SLOWNESS,
  ): Promise<ReadonlyMap<string, Verdict>> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    const files = [...new Set(tests.map(({ file }) => file))];
    const titles = tests.map(({ title }) => title.replaceAll(/[^\w ]/g, '\\$&'));
    const args = ['run', ...files, '-t', `(${titles.join('|')})$`, '--reporter=json'];
    const output = await runVitest(this.#folder, slowness, [...args, `--outputFile=${report}`]);
    if (!existsSync(report)) throw new Error(`vitest left no report: ${output}`);
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const verdicts = new Map<string, Verdict>();
    // One title may run more than once, as those of a contract do. A failure counts.
    for (const { title, status } of testResults.flatMap(({ assertionResults: all }) => all))
      if (status === 'failed' || (status === 'passed' && !verdicts.has(title)))
        verdicts.set(title, status);
    return verdicts;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

type Report = {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
};

/** Answers its output, whatever its exit code: the report tells which test failed. */
async function runVitest(cwd: string, slowness: number, args: readonly string[]): Promise<string> {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [vitest, ...args],
      {
        cwd,
        timeout: deadline(90_000),
        killSignal: 'SIGKILL',
        // Not the environment of the vitest that runs this.
        env: { PATH: process.env['PATH'], HOME: cwd, PODD_TEST_SLOWNESS: String(slowness) },
      },
      (_error, stdout, stderr) => {
        resolve(`${stdout}${stderr}`.slice(-4_000));
      },
    );
  });
}
