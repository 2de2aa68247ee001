import type { ScopeRules } from '../../protocol/scope.ts';
import type { Permission } from '../core/scope-rules.ts';

/** What this Pod may touch, as it stands now. */
export type ScopeView = {
  /** `path` is absolute and canonical. */
  readonly permissionOf: (path: string) => Permission;
  readonly own: () => ScopeRules;
  readonly delegated: () => ScopeRules;
  readonly effective: () => ScopeRules;
  /** The Pod that this one's part comes from, and those that parts of its own were delegated to. */
  readonly parent: () => string | null;
  readonly children: () => readonly string[];
  /**
   * Whether the scope is still this Pod's in the registry, asked before each effect. `lost` is final, and the Pod stops
   * by it. It throws a Fault when the registry can't be asked, which is neither.
   */
  readonly fence: (signal: AbortSignal) => Promise<'held' | 'lost'>;
};
