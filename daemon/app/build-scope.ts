import type { ScopeRules } from '../../protocol/scope.ts';
import { permissionOf } from '../core/scope-rules.ts';
import type { ScopeView } from '../ports/scope-view.ts';

/** The scope of a Pod that has no children: nothing is delegated, so all that it was given is in effect. */
export function buildScopeView(own: ScopeRules): ScopeView {
  const none: ScopeRules = { allow: [], deny: [] };
  return {
    permissionOf: (path) => permissionOf(own, path),
    own: () => own,
    delegated: () => none,
    effective: () => own,
  };
}
