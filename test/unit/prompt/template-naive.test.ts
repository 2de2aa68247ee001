import nunjucks from 'nunjucks';
import { expect, test } from 'vitest';
import { canary, ESCAPES, VARIABLES } from '../../support/template-escapes.ts';

function hasEscaped(): boolean {
  return 'escaped' in canary;
}

// A file of its own, in which nobody locks the engine.
test('PROMPT-3: the table of escapes is one of real ones: the bare engine runs a dozen of them', () => {
  const escaped = ESCAPES.filter((text) => {
    delete canary.escaped;
    try {
      const environment = new nunjucks.Environment([], { autoescape: false });
      // A regular expression that takes seconds shows nothing here.
      if (!text.includes('a+'))
        new nunjucks.Template(text, environment, 'x', false).render(VARIABLES);
    } catch {
      // It may fail after it ran.
    }
    return hasEscaped();
  });
  expect(escaped.length).toBeGreaterThan(12);
});
