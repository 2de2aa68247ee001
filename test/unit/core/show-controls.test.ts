import fc from 'fast-check';
import { expect, test } from 'vitest';
import { showControls } from '../../../daemon/core/show-controls.ts';

test('MAN-4: what a terminal would obey is shown instead, and the rest stays', () => {
  expect(showControls('a\u001b[31mb\nc\u007f\u202e“ü€')).toBe(
    String.raw`a\u001b[31mb\nc\u{7f}\u{202e}“ü€`,
  );
});

test('MAN-4: one line stays one, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(showControls(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}/u);
    }),
  );
});
