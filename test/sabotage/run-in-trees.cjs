// Runs tests of many trees in one vitest: `run-in-trees JOBS REPORT`. A vitest of its own for each took longer than most tests.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const [, , jobsPath, reportPath] = process.argv;

async function main() {
  const { createVitest } = await import('vitest/node');
  const { workers, jobs } = JSON.parse(readFileSync(jobsPath, 'utf8'));
  const vitest = await createVitest('test', {
    config: false,
    watch: false,
    reporters: [{}],
    maxWorkers: workers,
    projects: jobs.map(({ name, tree, slowness, tests, timeoutMs, isolate }) => ({
      root: tree,
      test: {
        name,
        include: tests.map(({ file }) => file),
        pool: 'forks',
        isolate,
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        env: { PODD_TEST_SLOWNESS: String(slowness), PODD_TEST_BUILT: '1', HOME: tree },
      },
    })),
  });
  const specifications = jobs.flatMap(({ name, tree, tests }) => {
    const project = vitest.projects.find((one) => one.name === name);
    return [...new Set(tests.map(({ file }) => file))].map((file) => {
      const titles = tests
        .filter((one) => one.file === file)
        .map(({ title }) => title.replaceAll(/[^\w ]/g, '\\$&'));
      return project.createSpecification(join(tree, file), {
        testNamePattern: new RegExp(`(${titles.join('|')})$`),
      });
    });
  });
  const { testModules } = await vitest.runTestSpecifications(specifications);
  const ends = testModules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      job: module.project.name,
      title: test.name,
      state: test.result().state,
    })),
  );
  writeFileSync(reportPath, JSON.stringify(ends));
  await vitest.close();
}

void main();
