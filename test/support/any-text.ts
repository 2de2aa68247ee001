import fc from 'fast-check';

// Not fast-check's own `binary`, which takes seconds to set up.
const anyUnit = fc.oneof(
  fc.constantFrom(
    ...Array.from('ab "\'`*_#-:>.[](){}019\n\r\t\\'),
    'ü',
    '…',
    '“',
    '”',
    '’',
    '\u2028',
    '😀',
  ),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
);

/** Up to so many units, lone surrogates among them. */
export function anyText(unitsMax: number): fc.Arbitrary<string> {
  return fc.string({ unit: anyUnit, maxLength: unitsMax });
}
