import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { Asset } from '../../daemon/prompt/template-job.ts';
import { evaluateIn } from '../../daemon/prompt/template-process.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { VARIABLES } from '../support/template-escapes.ts';

const PROGRAM = new URL('../../dist/template.js', import.meta.url).pathname;
const ROOT = '$workspace/main';

type Outcome = {
  readonly text?: string;
  readonly says?: string;
  readonly loaded: readonly string[];
};

async function render(
  text: string,
  others: (name: string) => Asset = () => ({ says: 'is missing' }),
  signal = new AbortController().signal,
): Promise<Outcome> {
  const loaded: string[] = [];
  const load = (name: string): Promise<Asset> => {
    loaded.push(name);
    return Promise.resolve(name === ROOT ? { text } : others(name));
  };
  const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
  const result = await evaluateIn(PROGRAM, job, load, signal);
  if (result.ok) return { text: result.value, loaded };
  return { says: result.error.map(({ says }) => says).join('; '), loaded };
}

/** Processes of ours that still render. */
function alive(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const stat = readFileSync(join('/proc', pid, 'stat'), 'utf8').split(') ')[1] ?? '';
        return (
          stat.split(' ')[1] === String(process.pid) &&
          readFileSync(join('/proc', pid, 'cmdline'), 'utf8').includes('template.js')
        );
      } catch {
        return false;
      }
    });
}

afterEach(() => {
  expect(alive()).toEqual([]);
});

describe('evaluateIn', () => {
  test('PROMPT-2: what a template includes is loaded when it is asked for, also by a name that it makes', async () => {
    const text = '{{ cwd }}{% include "a" %}{% include "b" ~ 1 %}';
    const made = await render(text, (name) => ({ text: `<${name}>` }));
    expect(made).toEqual({
      text: '/w<$workspace/a><$workspace/b1>',
      loaded: [ROOT, '$workspace/a', '$workspace/b1'],
    });
  });

  test('PROMPT-2: text without a tag in it starts no process', async () => {
    const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
    const load = (): Promise<Asset> => Promise.resolve({ text: 'plain } text\n' });
    const signal = new AbortController().signal;
    const result = await evaluateIn('/nowhere/template.js', job, load, signal);
    expect(result).toEqual({ ok: true, value: 'plain } text\n' });
  });

  test('PROMPT-3: templates that fill memory end in an error', async () => {
    const bombs = [
      '{% set a = range(10000) %}{% for b in range(10000) %}{% set a = a.concat(a) %}{% endfor %}',
      '{% set a = "x" %}{% for b in range(10000) %}{% set a = a ~ a %}{% endfor %}{{ a | length }}{{ a | upper }}',
      '{% set a = ["x"] %}{% for b in range(10000) %}{% set a = [a, a, range(9999)] %}{% endfor %}{{ a | length }}',
      '{{ "x" | center(1000000000) }}',
      '{{ "x\nx" | indent(500000000) }}',
      '{{ ["x","x"] | join("y" | center(300000000)) }}',
    ];
    for (const bomb of bombs) {
      const { text, says } = await render(bomb);
      expect(text).toBeUndefined();
      expect(says).toMatch(/memory|takes more than|can't be rendered|makes more/);
    }
  });

  test('INV-6 PROMPT-3: a template that never ends is ended, and one that is cancelled, at once', async () => {
    const loop =
      '{% macro m(n) %}{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}{% endmacro %}{% for c in range(10000) %}{{ m(1) }}{% endfor %}';
    expect((await render(loop)).says).toContain(`takes more than ${LIMITS.templateCpuMs} ms`);
    const stop = new AbortController();
    const asked = render(
      '{% include "a" %}',
      () => {
        stop.abort(new Error('enough'));
        return { text: 'x' };
      },
      stop.signal,
    );
    const begun = performance.now();
    await expect(asked).rejects.toThrow('enough');
    expect(performance.now() - begun).toBeLessThan(deadline(1000));
  });

  test('INV-6: a process that says nothing is ended after its time', async () => {
    const stop = new AbortController();
    const load = (): Promise<Asset> => Promise.resolve({ text: '{{ cwd }}' });
    const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
    const silent = new URL('../fixtures/silent.cjs', import.meta.url).pathname;
    const waiting = evaluateIn(silent, job, load, stop.signal, 200);
    expect(await waiting).toMatchObject({
      ok: false,
      error: [{ says: 'took longer than 200 ms' }],
    });
  });

  test('INV-12 PROMPT-2: the number of prompts and of levels has an end', async () => {
    const chain = (name: string): Asset => {
      const n = Number(/a(\d+)$/.exec(name)?.[1] ?? 0);
      return { text: `{% include "a${n + 1}" %}` };
    };
    expect((await render('{% include "a0" %}', chain)).says).toContain(
      `more than ${LIMITS.templateRounds} levels`,
    );
    const many = Array.from({ length: LIMITS.templateAssets }, (_, n) => `{% include "a${n}" %}`);
    expect((await render(many.join(''), () => ({ text: '' }))).says).toContain(
      `more than ${LIMITS.templateAssets} prompts`,
    );
  });

  test('INV-12: a reply has an end', async () => {
    const load = (): Promise<Asset> => Promise.resolve({ text: '{{ cwd }}' });
    const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
    const noisy = new URL('../fixtures/noisy.cjs', import.meta.url).pathname;
    const result = await evaluateIn(noisy, job, load, new AbortController().signal);
    expect(JSON.stringify(result)).toContain('its process ended (SIGKILL)');
  });

  test.each([
    ['{'],
    ['{"kind":"done"}'],
    ['{"kind":"done","text":1}'],
    ['{"kind":"done","text":"x","more":1}'],
    ['{"kind":"needs","assets":[]}'],
    ['{"kind":"needs","assets":["$workspace/../../etc/passwd"]}'],
    ['{"kind":"needs","assets":["/etc/passwd"]}'],
    ['{"kind":"refused","problems":[]}'],
    ['{"kind":"refused","problems":[{"asset":"$podd/x","line":-1,"column":null,"says":"x"}]}'],
    ['{"kind":"done","text":"x"}\n{"kind":"done","text":"y"}'],
  ])('PROMPT-3: %s of a template that got out is no reply', async (line) => {
    await using folder = await tempFolder();
    const liar = join(folder.path, 'liar.cjs');
    const program = `process.stdin.once('data', () => process.stdout.write(${JSON.stringify(`${line}\n`)}))`;
    await writeFile(liar, program);
    const loaded: string[] = [];
    const load = (name: string): Promise<Asset> => {
      loaded.push(name);
      return Promise.resolve({ text: '{{ cwd }}' });
    };
    const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
    const result = await evaluateIn(liar, job, load, new AbortController().signal);
    const says = "can't be rendered: its process said what is no reply";
    expect(result).toMatchObject({ ok: false, error: [{ asset: ROOT, says }] });
    expect(loaded).toEqual([ROOT]);
  });

  test('PROMPT-3: code that got out would find no file to read, no program to start, no environment', async () => {
    const load = (): Promise<Asset> => Promise.resolve({ text: '{{ cwd }}' });
    const job = { kind: 'render', root: ROOT, variables: VARIABLES } as const;
    const escaped = new URL('../fixtures/escaped.cjs', import.meta.url).pathname;
    const result = await evaluateIn(escaped, job, load, new AbortController().signal);
    const tried = result.ok ? (JSON.parse(result.value) as Record<string, string>) : {};
    expect(tried).toEqual({
      environment: '',
      read: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      start: 'ERR_ACCESS_DENIED',
    });
  });
});
