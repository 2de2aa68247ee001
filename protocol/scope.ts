import * as v from 'valibot';

/**
 * A rule of a Pod's scope. `target` is absolute, its links resolved. A recursive rule covers the target and all
 * below it; a non-recursive one the target and its direct children.
 */
export const ScopeRule = v.strictObject({
  target: v.string(),
  permission: v.picklist(['read', 'write']),
  recursive: v.boolean(),
});

/** Allow rules give, deny rules cap; what a deny takes is its permission and all above it. */
export const ScopeRules = v.strictObject({
  allow: v.array(ScopeRule),
  deny: v.array(ScopeRule),
});

export type ScopeRule = v.InferOutput<typeof ScopeRule>;
export type ScopeRules = v.InferOutput<typeof ScopeRules>;
