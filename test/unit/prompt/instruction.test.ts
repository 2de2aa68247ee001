import { expect, test } from 'vitest';
import { INSTRUCTION, renderSystemPrompt } from '../../../daemon/prompt/instruction.ts';

const FACTS = {
  cwd: '/w',
  scopeSummary: ['writable: /w', 'readable: /lib (not below its folders)'],
  tools: ['Write', 'Edit', 'Read'],
  date: '2026-11-23',
};

test('PROMPT-4: the boundaries stand at the end, whatever comes before', () => {
  const prompt = renderSystemPrompt(FACTS);
  expect(prompt.startsWith(INSTRUCTION)).toBe(true);
  expect(prompt.endsWith('writable: /w\nreadable: /lib (not below its folders)')).toBe(true);
  expect(prompt).toContain('Date: 2026-11-23\nWorking directory: /w\nTools: Edit, Read, Write\n');
});

test('PROMPT-4: the fixed instruction takes less than 400 tokens, counted as bytes by four', () => {
  expect(Buffer.byteLength(INSTRUCTION) / 4).toBeLessThan(400);
});
