import { explore } from './explore.ts';
const w = (target: string, recursive = true) => ({
  target,
  permission: 'write' as const,
  recursive,
});
const r = (target: string, recursive = true) => ({
  target,
  permission: 'read' as const,
  recursive,
});
const F = {
  nested: {
    A: { allow: [w('/w'), r('/r')], deny: [w('/w/b/k')] },
    B: { allow: [w('/w/b')], deny: [] },
    C: { allow: [w('/w/b/c')], deny: [] },
  },
  siblings: {
    A: { allow: [w('/w')], deny: [] },
    B: { allow: [w('/w/b'), r('/w/c')], deny: [] },
    C: { allow: [w('/w/c', false)], deny: [] },
  },
  apart: {
    A: { allow: [w('/a')], deny: [] },
    B: { allow: [w('/b')], deny: [] },
    C: { allow: [w('/c')], deny: [] },
  },
};
const d = Number(process.argv[2]);
for (const [n, f] of Object.entries(F)) {
  const t = performance.now();
  const x = explore(f, d);
  console.log(n, d, x.states, x.transitions, Math.round(performance.now() - t) + 'ms');
  for (const p of x.problems) console.log('  ', p);
}
