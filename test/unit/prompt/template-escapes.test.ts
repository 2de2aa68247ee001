import nunjucks from 'nunjucks';
import { afterEach, expect, test } from 'vitest';
import { evaluateTemplate } from '../../../daemon/prompt/evaluate-template.ts';
import { lockEngine } from '../../../daemon/prompt/template-lock.ts';
import { canary, ESCAPES, VARIABLES } from '../../support/template-escapes.ts';

afterEach(() => {
  delete canary.escaped;
});

test.each(ESCAPES)('PROMPT-3: %s is refused, and nothing of it runs', (text) => {
  const reply = evaluateTemplate({
    kind: 'render',
    root: '$workspace/x/y',
    assets: { '$workspace/x/y': { text }, '$workspace/x/x': { text: 'x' } },
    variables: VARIABLES,
  });
  expect(reply).toMatchObject({ kind: 'refused' });
  expect(canary.escaped).toBeUndefined();
  expect(JSON.stringify(reply)).not.toContain('native code');
});

// The check of the tree is one wall, this is the next: with no check before it, it holds too.
test.each(ESCAPES)('PROMPT-3: %s runs nothing in the locked engine, unchecked', (text) => {
  const setUp = lockEngine();
  const environment = new nunjucks.Environment([], { autoescape: false, throwOnUndefined: true });
  setUp(environment);
  let made = '';
  try {
    made = String(new nunjucks.Template(text, environment, 'x', false).render(VARIABLES));
  } catch {
    // Most end so.
  }
  expect(canary.escaped).toBeUndefined();
  expect(made).not.toContain('native code');
});
