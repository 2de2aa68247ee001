import { mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { permissionOf } from '../../daemon/core/scope-rules.ts';
import type { ScopeView } from '../../daemon/ports/scope-view.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { tempFolder } from './temp-folder.ts';

export type TempTree = AsyncDisposable & {
  /** A folder that the scope of a test covers, and one beside it that it does not. Both canonical. */
  readonly inside: string;
  readonly outside: string;
};

export async function tempTree(): Promise<TempTree> {
  const folder = await tempFolder();
  const root = await realpath(folder.path);
  const [inside, outside] = [join(root, 'inside'), join(root, 'outside')];
  await mkdir(inside);
  await mkdir(outside);
  return { inside, outside, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

export function scopeOf(rules: ScopeRules): ScopeView {
  return {
    permissionOf: (path) => permissionOf(rules, path),
    own: () => rules,
    delegated: () => ({ allow: [], deny: [] }),
    effective: () => rules,
    parent: () => null,
    children: () => [],
    fence: () => Promise.resolve('held'),
  };
}

export function writable(...targets: string[]): ScopeView {
  return scopeOf({ allow: targets.map((target) => allow(target, 'write')), deny: [] });
}

export function allow(target: string, permission: 'read' | 'write'): ScopeRule {
  return { target, permission, recursive: true };
}

/** Descriptors that this process has open. */
export async function openDescriptors(): Promise<number> {
  const names = await readdir('/proc/self/fd');
  return names.length;
}
