import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Layer, mergeLayers, type Table } from '../../../daemon/manifest/layers.ts';

// A layer is checked by itself before it is merged, so a key is of one kind in all of them.
const list = fc.array(fc.integer(), { maxLength: 3 });
const leaf = fc.oneof(fc.integer(), fc.string(), list);
const { table } = fc.letrec<{ table: Table; entry: [string, unknown] }>((tie) => ({
  entry: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(fc.constantFrom('name', 'x', '__proto__'), leaf),
    fc.tuple(fc.constantFrom('allow', 'deny'), list),
    fc.tuple(fc.constantFrom('pod', 'worker', 'scope'), tie('table')),
  ),
  table: fc.array(tie('entry'), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
}));
const layers = fc
  .array(table, { maxLength: 5 })
  .map((tables): Layer[] => tables.map((one, index) => ({ source: `${index}`, table: one })));

test('MAN-2: layers merged in two groups give what all of them give at once, whatever the groups are', () => {
  fc.assert(
    fc.property(layers, fc.nat(5), (all, at) => {
      const lower = { source: 'lower', table: mergeLayers(all.slice(0, at)).table };
      const upper = { source: 'upper', table: mergeLayers(all.slice(at)).table };
      expect(mergeLayers([lower, upper]).table).toEqual(mergeLayers(all).table);
    }),
  );
});

test('MAN-2: no rule of any layer gets lost, and each value is said by the layer that its origin names', () => {
  const rules = fc.array(fc.integer(), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.record({ allow: rules, deny: rules }), { maxLength: 5 }), (scopes) => {
      const all = scopes.map((scope, index) => ({ source: `${index}`, table: { scope } }));
      const { table: merged, origins } = mergeLayers(all);
      const scope = (merged['scope'] ?? { allow: [], deny: [] }) as { allow: number[] };
      expect(scope.allow).toEqual(scopes.flatMap(({ allow }) => allow));
      expect(scope.allow.map((_, index) => origins.get(`scope.allow[${index}]`))).toEqual(
        scopes.flatMap(({ allow }, index) => allow.map(() => `${index}`)),
      );
    }),
  );
});
