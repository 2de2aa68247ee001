import type { ScopeRules } from '../../protocol/scope.ts';
import type { Permission } from '../core/scope-rules.ts';

/** What this Pod may touch, as it stands now. */
export type ScopeView = {
  /** `path` is absolute and canonical. */
  readonly permissionOf: (path: string) => Permission;
  readonly own: () => ScopeRules;
  readonly delegated: () => ScopeRules;
  readonly effective: () => ScopeRules;
};
