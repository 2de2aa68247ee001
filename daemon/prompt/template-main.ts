import { createInterface } from 'node:readline';
import { evaluateTemplate } from './evaluate-template.ts';
import type { TemplateJob } from './template-job.ts';

/** A process that turns templates into text, and knows nothing but what it is sent. Its parent bounds it. */
createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  const job = JSON.parse(line) as TemplateJob;
  process.stdout.write(`${JSON.stringify(evaluateTemplate(job))}\n`);
});
