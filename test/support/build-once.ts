import { execFileSync } from 'node:child_process';

/** Builds `dist/` before tests that run it as its own process. */
export default function buildOnce(): void {
  if (process.env['PODD_TEST_BUILT'] === '1') return;
  execFileSync(process.execPath, ['scripts/build.js'], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.env['PODD_TEST_BUILT'] = '1';
}
