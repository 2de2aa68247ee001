// Runs the import rules of .dependency-cruiser.cjs, and fails when nothing was looked at: with a TypeScript that it
// does not know, dependency-cruiser finds 0 modules and is content.
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const MODULES_MIN = 50;
process.chdir(join(import.meta.dirname, '..'));
const { options, ...ruleSet } = await extractConfig('./.dependency-cruiser.cjs');
const { output } = await cruise(
  ['daemon', 'protocol', 'client'],
  { ...options, ruleSet, validate: true },
  undefined,
  { tsConfig: extractTsConfig('./tsconfig.json') },
);
const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations)
  process.stderr.write(`${rule.name}: ${from} → ${to}\n`);
const ours = output.modules.filter(({ source }) => /^(daemon|protocol|client)\//.test(source));
if (ours.length < MODULES_MIN)
  process.stderr.write(`only ${ours.length} modules were looked at: the rules prove nothing\n`);
const failed = violations.length > 0 || ours.length < MODULES_MIN;
process.stdout.write(
  `${ours.length} modules (${totalCruised} with packages), ${violations.length} violations\n`,
);
process.exitCode = failed ? 1 : 0;
