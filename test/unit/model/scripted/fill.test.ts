import { describe, expect, test } from 'vitest';
import { fill, fillProblems, namedVariables } from '../../../../daemon/model/scripted/fill.ts';

const VALUES = { cwd: '/w', input: 'go {{cwd}} $&', lastResult: 'ok', env: { HOST: 'h' } };

describe('fill', () => {
  test.each([
    ['{{cwd}}/a {{ cwd }}', '/w/a /w'],
    ['{{input}}', 'go {{cwd}} $&'],
    ['<{{last_result}}>', '<ok>'],
    ['{{env.HOST}}', 'h'],
    ['{{env.PATH}} {{env.constructor}}', '{{env.PATH}} {{env.constructor}}'],
    ['Hello {{name}}', 'Hello {{name}}'],
    ['{cwd} {{}}', '{cwd} {{}}'],
  ])('PROV-6: %j becomes %j', (text, filled) => {
    expect(fill(text, VALUES)).toBe(filled);
  });
});

describe('fillProblems', () => {
  test('PROV-6: names near a known one are told, others are left alone', () => {
    expect(fillProblems({ a: ['{{cdw}} {{title}}'], b: '{{inputs}} {{env.X}}' })).toEqual([
      'has {{cdw}}; did you mean {{cwd}}?',
      'has {{inputs}}; did you mean {{input}}?',
    ]);
  });
});

describe('namedVariables', () => {
  test('PROV-6: variables are found wherever strings are', () => {
    expect(namedVariables([{ a: 'x {{env.A}}' }, '{{ env.B }} {{cwd}}', 1, null])).toEqual([
      'A',
      'B',
    ]);
  });
});
