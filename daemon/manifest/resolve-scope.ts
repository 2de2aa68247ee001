import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { manifestFault, type ManifestProblem } from './manifest-fault.ts';
import type { Manifest } from './parse-manifest.ts';

/**
 * The manifest's scope with canonical targets: every link followed, as the kernel would. A target that does not
 * exist yet is what it would be if it were made now. Throws `manifest_invalid` for targets that can't be one.
 */
export async function resolveScope(manifest: Manifest): Promise<ScopeRules> {
  const problems: ManifestProblem[] = [];
  const resolveAll = async (rules: readonly ScopeRule[], key: string): Promise<ScopeRule[]> => {
    const resolved: ScopeRule[] = [];
    for (const [index, rule] of rules.entries()) {
      const target = await resolveTarget(rule.target);
      if (target.ok) resolved.push({ ...rule, target: target.value });
      else {
        const at = `scope.${key}[${index}]`;
        const source = manifest.origins.get(at) ?? manifest.file;
        problems.push({ source, says: `${at}.target ${rule.target} ${target.error}` });
      }
    }
    return resolved;
  };
  const allow = await resolveAll(manifest.scope.allow, 'allow');
  const deny = await resolveAll(manifest.scope.deny, 'deny');
  if (problems.length === 0) return { allow, deny };
  throw manifestFault(manifest.file, problems);
}

type Kind = { readonly kind: 'missing' | 'other' | 'link'; readonly leadsTo: string };

/** `at` is canonical all along, so `..` is simply its parent. */
async function resolveTarget(path: string): Promise<Result<string, string>> {
  const parts = path.split('/');
  let at = '/';
  let exists = true;
  let links = 0;
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = dirname(at);
      exists = true;
      continue;
    }
    const next = join(at, part);
    const found: Result<Kind, string> = exists ? await look(next) : ok(MISSING);
    if (!found.ok) return found;
    exists = found.value.kind !== 'missing';
    if (found.value.kind !== 'link') {
      at = next;
      continue;
    }
    links += 1;
    if (links > LIMITS.scopeLinks)
      return refuse(`leads through more than ${LIMITS.scopeLinks} links`);
    if (found.value.leadsTo.startsWith('/')) at = '/';
    parts.unshift(...found.value.leadsTo.split('/'));
  }
  return ok(at);
}

const MISSING: Kind = { kind: 'missing', leadsTo: '' };

async function look(path: string): Promise<Result<Kind, string>> {
  try {
    const stat = await lstat(path);
    if (!stat.isSymbolicLink()) return ok({ kind: 'other', leadsTo: '' });
    return ok({ kind: 'link', leadsTo: await readlink(path) });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT') return ok(MISSING);
    if (code === 'ENOTDIR') return refuse(`can't exist: ${dirname(path)} is not a folder`);
    return refuse(`can't be looked up (${code})`);
  }
}
