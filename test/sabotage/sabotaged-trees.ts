import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Semaphore } from '../../daemon/support/semaphore.ts';
import { deadline, SLOWNESS } from '../support/slowness.ts';
import { TEST_LIMIT_MS } from '../support/time-limits.ts';

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

export type Verdict = 'passed' | 'failed' | 'not run' | 'its line is not there exactly once';

export type Verdicts = {
  /** Of every named test that a tree can spoil, with nothing broken, by title. */
  readonly whole: ReadonlyMap<string, Verdict>;
  /** Of each sabotage's test, in their order. */
  readonly broken: readonly Verdict[];
};

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['daemon', 'protocol', 'client', 'test', 'scripts', 'manifests'];
const COPIED_FILES = ['package.json', 'tsconfig.json'];
/** Each keeps a core busy. More would make tests late by themselves, and what is late counts as red. */
const WORKERS = 2;

type Job = {
  readonly name: string;
  readonly tree: string;
  readonly slowness: number;
  readonly timeoutMs: number;
  /** As in `vitest.config.ts`: of those, one process runs many files. */
  readonly isolate: boolean;
  readonly tests: readonly NamedTest[];
};

const SHARE_A_PROCESS = ['unit', 'model', 'e2e'];

/** Runs the tests of all sabotages, each in a copy of the sources with its line broken, and once with none broken. */
export async function judge(sabotages: readonly Sabotage[]): Promise<Verdicts> {
  const folder = mkdtempSync(join(tmpdir(), 'podd-sabotage-'));
  try {
    const jobs: Job[] = [];
    const tests = [...new Map(sabotages.map(({ test }) => [test.title, test])).values()];
    const whole = join(folder, 'whole');
    copyTree(whole);
    jobs.push(...jobsOf('whole', whole, SLOWNESS, tests.filter(needsTree)));
    for (const [index, { file, find, replace, test }] of sabotages.entries()) {
      const [before, after, ...more] = readFileSync(join(ROOT, file), 'utf8').split(find);
      if (before === undefined || after === undefined || more.length > 0) continue;
      const tree = join(folder, String(index));
      linkTree(whole, tree);
      rmSync(join(tree, file));
      writeFileSync(join(tree, file), `${before}${replace}${after}`);
      // One that only a deadline notices waits for it; twice what a test needs at home is time enough to fail in.
      jobs.push(...jobsOf(String(index), tree, Math.min(SLOWNESS, 2), [test]));
    }
    const needsBuild = jobs.filter(({ tests: all }) =>
      all.some(({ file }) => /^test\/(e2e|crash)\//.test(file)),
    );
    await buildAll([...new Set(needsBuild.map(({ tree }) => tree))]);
    const ends = await runJobs(folder, jobs);
    const unfit = sabotages.map((_, index) => !existsSync(join(folder, String(index))));
    return {
      whole: new Map(
        tests.filter(needsTree).map(({ title }) => [title, verdictOf(ends, 'whole', title)]),
      ),
      broken: sabotages.map(({ test: { title } }, index) =>
        unfit[index] === true
          ? 'its line is not there exactly once'
          : verdictOf(ends, String(index), title),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What looks at data alone is the same in any tree: that it passes is seen where it runs for itself. */
function needsTree({ file }: NamedTest): boolean {
  return !file.startsWith('test/model/');
}

/** A copy of the sources that may be broken; the packages are shared. */
function copyTree(tree: string): void {
  mkdirSync(tree);
  for (const name of [...COPIED, ...COPIED_FILES])
    cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
}

/** The same files once more, which is faster than to copy them. Whoever breaks one puts another in its place. */
function linkTree(from: string, tree: string): void {
  mkdirSync(tree);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [old, fresh] = [join(from, entry.name), join(tree, entry.name)];
    if (entry.isDirectory()) linkTree(old, fresh);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(old), fresh);
    else linkSync(old, fresh);
  }
}

async function buildAll(trees: readonly string[]): Promise<void> {
  const turn = new Semaphore(WORKERS);
  const build = async (tree: string): Promise<void> => {
    await promisify(execFile)(process.execPath, ['scripts/build.js'], { cwd: tree });
  };
  await Promise.all(trees.map((tree) => turn.use(() => build(tree))));
}

/** One for each folder of tests, since their limits differ. */
function jobsOf(name: string, tree: string, slowness: number, tests: readonly NamedTest[]): Job[] {
  return Object.entries(TEST_LIMIT_MS).flatMap(([folder, limitMs]) => {
    const those = tests.filter(({ file }) => file.startsWith(`test/${folder}/`));
    if (those.length === 0) return [];
    const timeoutMs = limitMs * slowness;
    const isolate = !SHARE_A_PROCESS.includes(folder);
    return [{ name: `${name} ${folder}`, tree, slowness, timeoutMs, isolate, tests: those }];
  });
}

type End = { readonly job: string; readonly title: string; readonly state: string };

/** One title may run more than once, as those of a contract do. A failure counts. */
function verdictOf(ends: readonly End[], name: string, title: string): Verdict {
  const states = ends
    .filter((end) => end.job.startsWith(`${name} `) && end.title === title)
    .map(({ state }) => state);
  if (states.includes('failed')) return 'failed';
  return states.includes('passed') ? 'passed' : 'not run';
}

/** Whatever its exit code: the report tells which test failed. */
async function runJobs(folder: string, jobs: readonly Job[]): Promise<readonly End[]> {
  const program = join(import.meta.dirname, 'run-in-trees.cjs');
  const plan = join(folder, 'jobs.json');
  const report = join(folder, 'report.json');
  writeFileSync(plan, JSON.stringify({ workers: WORKERS, jobs }));
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [program, plan, report],
      {
        cwd: folder,
        timeout: deadline(150_000),
        killSignal: 'SIGKILL',
        // Not the environment of the vitest that runs this.
        env: { PATH: process.env['PATH'], HOME: folder },
      },
      (_error, stdout, stderr) => {
        resolve(`${stdout}${stderr}`.slice(-4_000));
      },
    );
  });
  if (!existsSync(report)) throw new Error(`vitest left no report: ${output}`);
  return JSON.parse(readFileSync(report, 'utf8')) as readonly End[];
}
