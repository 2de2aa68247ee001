import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OwnFiles } from '../../../daemon/core/own-files.ts';
import { guardOwnFiles } from '../../../daemon/core/own-files.ts';
import type { Permission } from '../../../daemon/core/scope-rules.ts';

const OWN: OwnFiles = {
  closed: ['/home/u/.local/state/podd', '/home/u/.podd/run', '/home/u/.config/podd'],
  readOnly: ['/home/u/pod.toml', '/home/u/prompts'],
  kept: ['/home/u/.local/state/podd/pods/p/spool'],
};
const RANK: Readonly<Record<Permission, number>> = { none: 0, read: 1, write: 2 };

describe('guardOwnFiles', () => {
  test.each<[string, Permission, Permission]>([
    ['/home/u/.local/state/podd', 'write', 'none'],
    ['/home/u/.local/state/podd/pods/p/db/level/000005.ldb', 'write', 'none'],
    ['/home/u/.local/state/podd/pods/p/spool', 'write', 'read'],
    ['/home/u/.local/state/podd/pods/p/spool/call-1', 'write', 'read'],
    ['/home/u/.local/state/podd/pods/p/spool/call-1', 'none', 'read'],
    ['/home/u/.local/state/podd/pods/p/spool/.podd/x', 'write', 'read'],
    ['/home/u/.local/state/podd/pods/p/spools', 'write', 'none'],
    ['/home/u/.local/state/podd/pods/q/spool/call-1', 'read', 'none'],
    ['/home/u/.local/state/poddy', 'write', 'write'],
    ['/home/u/.podd/run/p/sock', 'write', 'none'],
    ['/home/u/.podd/runs', 'write', 'read'],
    ['/home/u/.podd', 'write', 'read'],
    ['/home/u/project/.podd/manifest.toml', 'write', 'read'],
    ['/home/u/project/.podd/prompts/deep/one.md', 'write', 'read'],
    ['/home/u/project/.podd/manifest.toml', 'none', 'none'],
    ['/home/u/project/.poddy', 'write', 'write'],
    ['/home/u/project/a.podd', 'write', 'write'],
    ['/home/u/pod.toml', 'write', 'read'],
    ['/home/u/pod.toml', 'read', 'read'],
    ['/home/u/pod.toml', 'none', 'none'],
    ['/home/u/pod.toml.bak', 'write', 'write'],
    ['/home/u/prompts/default.md', 'write', 'read'],
    ['/home/u/.config/podd/manifest.toml', 'read', 'none'],
    ['/home/u/project/main.ts', 'write', 'write'],
    ['/', 'write', 'write'],
  ])('SCOPE-18 PATH-3: %s, granted %s, is %s', (path, granted, left) => {
    expect(guardOwnFiles(OWN, path, granted)).toBe(left);
  });

  test('SCOPE-18: a closed folder that lies in the kept one stays closed', () => {
    const own = { ...OWN, closed: [...OWN.closed, `${OWN.kept[0] ?? ''}/run`] };
    expect(guardOwnFiles(own, `${OWN.kept[0] ?? ''}/run/p/sock`, 'write')).toBe('none');
    expect(guardOwnFiles(own, `${OWN.kept[0] ?? ''}/call-1`, 'write')).toBe('read');
    expect(guardOwnFiles({ ...OWN, closed: OWN.kept }, `${OWN.kept[0] ?? ''}/x`, 'read')).toBe(
      'none',
    );
  });
});

const part = fc.constantFrom('a', 'b', '.podd');
const path = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map((one) => `/${one}`).join(''));
const folders = fc.array(path, { maxLength: 3 });
const ownFiles = fc.record({ closed: folders, readOnly: folders, kept: folders });
const permission = fc.constantFrom<Permission>('none', 'read', 'write');
const isIn = (one: string, all: readonly string[]): boolean =>
  all.some((folder) => `${one}/`.startsWith(`${folder}/`));

describe('guardOwnFiles, whatever the daemon has', () => {
  test('SCOPE-18: closed beats every grant, except where kept outputs lie in it', () => {
    fc.assert(
      fc.property(ownFiles, path, permission, (own, at, granted) => {
        const kept = own.kept.filter((folder) => isIn(at, [folder]));
        const closedIn = own.closed.filter((folder) => isIn(at, [folder]));
        fc.pre(closedIn.length > 0);
        // Of the folders that hold the path, the deepest decides.
        const excepted = kept.some((one) => closedIn.every((folder) => folder.length < one.length));
        expect(guardOwnFiles(own, at, granted)).toBe(excepted ? 'read' : 'none');
      }),
    );
  });

  test('PATH-3: kept outputs are never written, nor is what configures a Pod', () => {
    fc.assert(
      fc.property(ownFiles, path, permission, (own, at, granted) => {
        fc.pre(isIn(at, [...own.kept, ...own.readOnly]) || at.includes('/.podd'));
        expect(guardOwnFiles(own, at, granted)).not.toBe('write');
      }),
    );
  });

  test('SCOPE-18: nothing but kept outputs is opened that the scope does not open', () => {
    fc.assert(
      fc.property(ownFiles, path, permission, (own, at, granted) => {
        fc.pre(!isIn(at, own.kept));
        expect(RANK[guardOwnFiles(own, at, granted)]).toBeLessThanOrEqual(RANK[granted]);
      }),
    );
  });

  test('SCOPE-1 SCOPE-18: what is not the daemon’s keeps what the scope grants', () => {
    fc.assert(
      fc.property(ownFiles, path, permission, (own, at, granted) => {
        fc.pre(!isIn(at, [...own.closed, ...own.kept]));
        const readable = granted === 'none' ? 'none' : 'read';
        const mine = isIn(at, own.readOnly) || at.includes('/.podd');
        expect(guardOwnFiles(own, at, granted)).toBe(mine ? readable : granted);
      }),
    );
  });
});
