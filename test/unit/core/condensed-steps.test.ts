import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CondensedSteps, type StepKind } from '../../../daemon/core/condensed-steps.ts';
import { anyText } from '../../support/any-text.ts';

function counted(...steps: readonly (readonly [StepKind, string?])[]): CondensedSteps {
  const all = new CondensedSteps();
  for (const [kind, name = ''] of steps) all.add(kind, name);
  return all;
}

const times = (count: number, kind: StepKind, name = ''): [StepKind, string][] =>
  Array.from({ length: count }, () => [kind, name]);

describe('CondensedSteps', () => {
  test.each<[string, CondensedSteps]>([
    ['[1 step condensed: 1 × Read]', counted(['call', 'Read'], ['result'])],
    ['[1 step condensed: 1 answer]', counted(['answer'])],
    ['[2 steps condensed: 2 results]', counted(['result'], ['result'])],
    ['[1 user message condensed]', counted(['user'])],
    [
      '[2 user messages and 5 steps condensed: 2 × Edit, 1 × Read, 1 answer, 1 system message]',
      counted(
        ...times(2, 'user'),
        ['call', 'Read'],
        ...times(2, 'call', 'Edit'),
        ...times(3, 'result'),
        ['answer'],
        ['system'],
      ),
    ],
    [
      `[31 steps condensed: 30 × Read, 1 × a${'b'.repeat(31)}]`,
      counted(...times(30, 'call', 'Read'), ['call', `a${'b'.repeat(90)}`]),
    ],
  ])('COMP-4: %s', (line, steps) => {
    expect(steps.line()).toBe(line);
  });

  test('COMP-4: tools that have no room are counted without their names', () => {
    const names = Array.from({ length: 40 }, (_, n) => `tool-number-${n}`);
    const steps = counted(
      ...times(9, 'call', 'Read'),
      ...names.map((name) => ['call', name] as const),
    );
    expect(steps.line()).toMatch(
      /^\[49 steps condensed: 9 × Read, 1 × tool-number-0, .*\d+ other calls\]$/,
    );
    const sum = [...steps.line().matchAll(/(\d+) (?:×|other)/g)].map(([, count]) => Number(count));
    expect(sum.reduce((all, one) => all + one, 0)).toBe(49);
  });

  test('COMP-4 INV-12: a line is one line of 120 bytes at most, and counts added together are one count', () => {
    const kind = fc.constantFrom<StepKind>('user', 'answer', 'system', 'call', 'result');
    const name = fc.oneof(fc.constantFrom('Read', 'Edit'), anyText(8));
    const anySteps = fc.array(fc.tuple(kind, name), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(anySteps, anySteps, (first, second) => {
        const both = counted(...first);
        both.addAll(counted(...second));
        expect(Buffer.byteLength(both.line())).toBeLessThanOrEqual(120);
        expect(both.line()).not.toContain('\n');
        const few = new Set([...first, ...second].map(([, one]) => one)).size <= 16;
        if (few) expect(both.line()).toBe(counted(...first, ...second).line());
      }),
    );
  });
});
