import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { evaluateTemplate } from '../../../daemon/prompt/evaluate-template.ts';
import type { TemplateReply } from '../../../daemon/prompt/template-job.ts';
import { VARIABLES } from '../../support/template-escapes.ts';

const ROOT = '$workspace/x/main';

function evaluate(
  text: string,
  others: Readonly<Record<string, string>> = {},
  kind: 'check' | 'render' = 'render',
): TemplateReply {
  const texts = Object.entries({ [ROOT]: text, ...others });
  const assets = Object.fromEntries(texts.map(([name, one]) => [name, { text: one }]));
  return evaluateTemplate({ kind, root: ROOT, assets, variables: VARIABLES });
}

function problems(text: string, others: Readonly<Record<string, string>> = {}): string[] {
  const reply = evaluate(text, others, 'check');
  if (reply.kind !== 'refused') return [reply.kind];
  return reply.problems.map(
    ({ asset, line, column, says }) => `${asset.slice(1)}:${line ?? '-'}:${column ?? '-'} ${says}`,
  );
}

describe('a template renders', () => {
  test.each([
    [
      '{{ date }} {{ time }} {{ datetime }} {{ cwd }}',
      '2026-11-24 08:00:00 2026-11-24T08:00:00Z /w',
    ],
    ['{{ tools | join(", ") }}', 'Edit, Read, Write'],
    ['{% for t in tools %}{{ loop.index }}{{ t }}{% endfor %}', '1Edit2Read3Write'],
    ['{% if "Read" in tools %}yes{% else %}no{% endif %}', 'yes'],
    ['{% set a = "x" %}{{ a | upper }}{{ a.toUpperCase() }}', 'XX'],
    ['{% macro m(a, b="-") %}{{ a }}{{ b }}{% endmacro %}{{ m("x") }}{{ m("y", b=2) }}', 'x-y2'],
    ['{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{% endcall %}', '<in>'],
    ['{% filter upper %}a{% endfilter %}{% raw %}{{ x }}{% endraw %}{# gone #}', 'A{{ x }}'],
    ['{{ "<&>" }}', '<&>'],
    ['{% set d = {a: 1, "b": [2, 3]} %}{{ d.a }}{{ d["b"][1] }}', '13'],
    [
      '{{ range(3) | join }}{{ range(2, 8, 3) | join("+") }}{{ range(2, 0, -1) | join }}',
      '0122+521',
    ],
    ['{{ "a b".split(" ") | last }}{{ tools.length }}{{ cwd.startsWith("/") }}', 'b3true'],
    ['{% switch cwd %}{% case "/w" %}one{% default %}two{% endswitch %}', 'one'],
    ['{% macro m() %}a{% endmacro %}{{ m().length }}{{ m() | upper }}', '1A'],
    ['{{ "a" if tools is defined else "b" }}{{ 3 is odd }}', 'atrue'],
    ['a\n\n  b\n', 'a\n\n  b\n'],
  ])('PROMPT-2: %s', (text, rendered) => {
    expect(evaluate(text)).toEqual({ kind: 'done', text: rendered });
    expect(evaluate(text, {}, 'check')).toEqual({ kind: 'done', text: '' });
  });

  test('PROMPT-1 PROMPT-2: include, import, from and extends go by name, relative to who includes', () => {
    const others = {
      '$workspace/x/parts/a': 'A{% include "b" %}',
      '$workspace/x/parts/b': 'B{{ cwd }}{{ own }}',
      '$podd/base': '<{% block body %}none{% endblock %}>',
      '$workspace/m': '{% macro hi(n) %}hi {{ n }}{% endmacro %}',
    };
    expect(evaluate('{% set own = 1 %}{% include "parts/a.md" %}', others)).toEqual({
      kind: 'done',
      text: 'AB/w1',
    });
    const child = '{% extends "$podd/base" %}{% block body %}[{{ super() }}]{% endblock %}';
    expect(evaluate(child, others)).toEqual({ kind: 'done', text: '<[none]>' });
    const imports =
      '{% import "$workspace/m" as m %}{{ m.hi("a") }}{% from "$workspace/m" import hi %}{{ hi("b") }}';
    expect(evaluate(imports, others)).toEqual({ kind: 'done', text: 'hi ahi b' });
  });

  test('PROMPT-2: what a name leads to that only rendering knows is asked for, and checked like the rest', () => {
    const text = '{% for p in ["a", "b"] %}{% include "parts/" ~ p %}{% endfor %}';
    expect(evaluate(text)).toEqual({ kind: 'needs', assets: ['$workspace/x/parts/a'] });
    const a = { '$workspace/x/parts/a': 'A' };
    expect(evaluate(text, a)).toEqual({ kind: 'needs', assets: ['$workspace/x/parts/b'] });
    expect(evaluate(text, { ...a, '$workspace/x/parts/b': 'B' })).toMatchObject({ text: 'AB' });
    const bad = { ...a, '$workspace/x/parts/b': 'x\n{{ r/x/ }}' };
    expect(JSON.stringify(evaluate(text, bad))).toContain('b:2 regular expressions');
  });

  test('PROMPT-2: constant names are asked for level by level', () => {
    const text = '{% include "a" %}{% include "$podd/b" %}';
    const first = { kind: 'needs', assets: ['$workspace/x/a', '$podd/b'] };
    expect(evaluate(text, {}, 'check')).toEqual(first);
    const a = { '$workspace/x/a': '{% include "c" %}', '$podd/b': '' };
    expect(evaluate(text, a, 'check')).toEqual({ kind: 'needs', assets: ['$workspace/x/c'] });
  });

  test('PROMPT-2: an asset that can not be had is told where it is included', () => {
    const says = 'does not exist: there is no /p/a.md';
    const assets = { [ROOT]: { text: 'x\n {% include "a" %}' }, '$workspace/x/a': { says } };
    expect(
      evaluateTemplate({ kind: 'check', root: ROOT, assets, variables: VARIABLES }),
    ).toMatchObject({ problems: [{ asset: ROOT, line: 2, says: `$workspace/x/a ${says}` }] });
  });
});

describe('a template is refused', () => {
  test.each([
    ['a\n{% if cwd %}\nb', '2:1 {% if %} is never closed by {% endif %}'],
    ['{% for t in tools %}{% if t %}{% endfor %}', '1:21 {% if %} is never closed by {% endif %}'],
    ['a\n\n {{ cwd ', '3:2 {{ is never closed by }}'],
    ['{% if cwd', '1:1 {% is never closed by %}'],
    ['x {# no end', '1:3 {# is never closed by #}'],
    ['{% raw %}{% endraw', '1:1 {% raw %} is never closed by {% endraw %}'],
    ['{% set x %}a', '1:1 {% set %} is never closed by {% endset %}'],
    ['{% macro m() %}a', '1:1 {% macro %} is never closed by {% endmacro %}'],
    ['{% block b %}a', '1:1 {% block %} is never closed by {% endblock %}'],
    ['a{% endif %}', '1:2 {% endif %} closes nothing'],
    ['\n{{ tols }}', '2:4 tols is not defined; did you mean tools?'],
    ['{% if false %}{{ tols }}{% endif %}', '1:18 tols is not defined; did you mean tools?'],
    ['{{ cwd | uper }}', '1:10 there is no filter uper; did you mean upper?'],
    ['{{ cwd is strin }}', '1:11 there is no test strin; did you mean string?'],
    ['{% include "$pod/x" %}', '1:12 "$pod/x" names no library'],
    ['{% include "../x" %}', '1:12 "../x" has .. in it'],
    ['{% nope %}', '1:4 is not understood: unknown block tag: nope'],
    [`{{ ${'('.repeat(50_000)} 1${')'.repeat(50_000)} }}`, 'is nested too deep'],
    [`{{ cwd ${'| upper '.repeat(20_000)} }}`, 'is nested too deep'],
    [`{{ ${'a'.repeat(9_000)} }}`, `1:4 ${'a'.repeat(60)}… is not defined`],
    ['{{ 1 + }}', 'is not understood: unexpected token'],
  ])('PROMPT-2: fault %# is told at its line and column', (text, says) => {
    expect(problems(text).join('\n')).toContain(says);
  });

  test('PROMPT-2: problems of what is included name the file that has them', () => {
    const others = { '$workspace/x/a': 'fine\n{{ nope }}', '$podd/b': '{% if cwd %}' };
    expect(problems('{% include "a" %}{% include "$podd/b" %}', others)).toEqual([
      'podd/b:1:1 {% if %} is never closed by {% endif %}',
      'workspace/x/a:2:4 nope is not defined',
    ]);
  });

  test('PROMPT-2: an error that only rendering meets names file and line', () => {
    const reply = evaluate('a\n{{ tools.nothing }}');
    expect(reply).toMatchObject({ problems: [{ asset: ROOT, line: 2 }] });
    const inner = evaluate('{% include "a" %}', { '$workspace/x/a': 'b\n\n{{ cwd[9] }}' });
    expect(inner).toMatchObject({ problems: [{ asset: '$workspace/x/a', line: 3 }] });
    const refused = evaluate('a\n{{ cwd }}{{ range(cwd) }}');
    const says = `can't be rendered: range makes at most ${LIMITS.templateRange} numbers`;
    expect(refused).toEqual({
      kind: 'refused',
      problems: [{ asset: ROOT, line: 2, column: 19, says }],
    });
    const none = evaluate('{% set a = none %}{% if a is none %}x{% endif %}');
    expect(none).toMatchObject({ text: 'x' });
  });

  test('PROMPT-3: a prompt that includes itself is told by the ring', () => {
    expect(problems('a {% include "main" %}')).toEqual([
      'workspace/x/main:1:14 includes itself: $workspace/x/main → $workspace/x/main',
    ]);
    const ring = {
      '$workspace/x/a': '{% extends "b" %}',
      '$workspace/x/b': '{% import "a" as m %}',
    };
    expect(problems('{% include "a" %}{% include "b" %}', ring)).toEqual([
      'workspace/x/b:1:11 includes itself: $workspace/x/a → $workspace/x/b → $workspace/x/a',
    ]);
    const diamond = { '$workspace/x/a': '{% include "c" %}', '$workspace/x/c': 'c' };
    expect(evaluate('{% include "a" %}{% include "c" %}', diamond)).toMatchObject({ text: 'cc' });
  });

  test('PROMPT-3: what calls itself, or includes itself by a name that it makes, ends', () => {
    expect(evaluate('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}').kind).toBe('refused');
    expect(evaluate('{% include "ma" ~ "in" %}').kind).toBe('refused');
  });

  test('PROMPT-3: a loop without an end ends by its time, a long text by its length', () => {
    const nested = '{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}';
    const reply = evaluate(`{% for c in range(10000) %}${nested}{% endfor %}`);
    expect(JSON.stringify(reply)).toContain(`takes more than ${LIMITS.templateCpuMs} ms`);
    const long = evaluate('{% for a in range(10000) %}0123456789012345678901234567890{% endfor %}');
    expect(JSON.stringify(long)).toContain(`more than ${LIMITS.promptBytes} bytes`);
    const range = evaluate(`{{ range(${LIMITS.templateRange + 1}) | length }}`);
    expect(JSON.stringify(range)).toContain(`at most ${LIMITS.templateRange} numbers`);
    expect(evaluate(`{{ range(${LIMITS.templateRange}) | length }}`)).toMatchObject({
      text: String(LIMITS.templateRange),
    });
    expect(evaluate('{{ range(0, 5, 0) | length }}').kind).toBe('refused');
    expect(evaluate('{{ range("a") | length }}').kind).toBe('refused');
  });
});
