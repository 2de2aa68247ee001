import { describe, expect, test } from 'vitest';
import type { ScopeRule } from '../../protocol/scope.ts';
import { deadline } from '../support/slowness.ts';
import { explore } from './explore.ts';
import type { Family } from './scope-world.ts';

const DEPTH = 9;

const write = (target: string): ScopeRule => ({ target, permission: 'write', recursive: true });
const read = (target: string): ScopeRule => ({ target, permission: 'read', recursive: true });

/** Each within the one before, with a deny that the delegations have to carry along. */
const nested: Family = {
  A: { allow: [write('/w'), read('/r')], deny: [write('/w/b/k')] },
  B: { allow: [write('/w/b')], deny: [] },
  C: { allow: [write('/w/b/c')], deny: [] },
};

/** Two beside each other within a third one; one reads what the other writes, one rule does not reach far. */
const siblings: Family = {
  A: { allow: [write('/w')], deny: [] },
  B: { allow: [write('/w/b'), read('/w/c')], deny: [] },
  C: { allow: [{ ...write('/w/c'), recursive: false }], deny: [] },
};

/** Nothing in common: what a child gets is all that its giver has, and never what its own manifest says. */
const apart: Family = {
  A: { allow: [write('/a')], deny: [] },
  B: { allow: [write('/b')], deny: [] },
  C: { allow: [write('/c')], deny: [] },
};

/**
 * The numbers stand in docs/guarantees.md. A change of the table's rules changes them; one that does not may not.
 */
describe('all interleavings of three Pods', () => {
  test(
    'SCOPE-7 SCOPE-8 SCOPE-10 SCOPE-20 INV-11: scopes within each other never meet, leak or lock their owner out',
    () => {
      expect(explore(nested, DEPTH)).toEqual({ states: 9_126, transitions: 36_710, problems: [] });
    },
    deadline(15_000),
  );

  test(
    'SCOPE-7 SCOPE-9 SCOPE-13 SCOPE-19 INV-11: scopes beside each other never meet, leak or lock their owner out',
    () => {
      expect(explore(siblings, DEPTH)).toEqual({
        states: 10_612,
        transitions: 47_100,
        problems: [],
      });
    },
    deadline(15_000),
  );

  test(
    'SCOPE-6 SCOPE-7 SCOPE-13 SCOPE-20 INV-11: scopes given on as a whole never meet, leak or lock their owner out',
    () => {
      expect(explore(apart, DEPTH)).toEqual({ states: 20_294, transitions: 95_573, problems: [] });
    },
    deadline(15_000),
  );
});
