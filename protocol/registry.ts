import * as v from 'valibot';
import { ScopeRule } from './scope.ts';

/**
 * The registry: one JSON file per user and machine that says which Pod owns which files. Daemons of several versions
 * write it and `podctl` reads it, so its place, its form and the rule that tells a dead holder stand here once.
 */

/** The format that this version writes. A reader refuses another one and keeps fields that it does not know. */
export const REGISTRY_FORMAT = 1;

/** Names in the registry's folder. No Pod name ends in `.json` or `.lock`, so none of them meets a Pod's folder. */
export const REGISTRY_FILES = {
  table: 'scope.json',
  /** Which kind of lock guards the table: a fact of the folder, for every process that ever uses it. */
  kind: 'lock.json',
  /** Locked, never renamed or removed. */
  lock: 'scope.lock',
} as const;

/** A Pod and the path of its store: two Pods of one name that live one after the other differ by it. */
export const PodOrigin = v.looseObject({ pod: v.string(), store: v.string() });

/** What one Pod owns. What it delegated stays in its `allow`; what is in effect follows from the rows below it. */
export const Allocation = v.looseObject({
  pod: v.string(),
  /** The folder of the Pod's store: with the name, what tells it from another Pod that is called the same. */
  store: v.string(),
  pid: v.number(),
  /** The process's start, in clock ticks since boot (`/proc/PID/stat`, field 22), so a reused pid is another one. */
  startedAt: v.number(),
  /** `/proc/sys/kernel/random/boot_id`. */
  bootId: v.string(),
  /** What `/proc/PID/ns/pid` links to; '' where it can't be read. Pids of another one mean nothing here. */
  pidNamespace: v.string(),
  socket: v.string(),
  allow: v.array(ScopeRule),
  deny: v.array(ScopeRule),
  /** The Pod that this part comes from: the spawner, or who inherited it. Null for a root. */
  delegatedFrom: v.nullable(v.string()),
  /** The Pod that spawned it, kept whoever holds it now. */
  origin: v.nullable(PodOrigin),
  /** Who spawned the origin, and so on upwards, nearest first. */
  ancestors: v.array(PodOrigin),
  /** SHA-256 (hex) of the token that its reports carry. */
  tokenHash: v.optional(v.string()),
  /** Rises with every claim or adoption, in the whole registry. */
  epoch: v.number(),
  /** Unix time in milliseconds. */
  claimedAt: v.number(),
  /** The podd that wrote the row. */
  version: v.string(),
});

export const RegistryTable = v.looseObject({
  format: v.literal(REGISTRY_FORMAT),
  /** Rises with every write. */
  rev: v.number(),
  /** The largest epoch given out so far. */
  epoch: v.number(),
  allocations: v.array(Allocation),
});

export type PodOrigin = v.InferOutput<typeof PodOrigin>;
export type Allocation = v.InferOutput<typeof Allocation>;
export type RegistryTable = v.InferOutput<typeof RegistryTable>;

/** Where the registry lies, absolute; `moved` when the environment says so, which Pods then tell. */
export type RegistryPlace =
  | { readonly kind: 'found'; readonly path: string; readonly moved: boolean }
  | { readonly kind: 'none'; readonly says: string };

/**
 * `$PODD_SCOPE_REGISTRY`, else a folder below `userHome`: the home that the user database has for this uid (null if
 * none), not `$HOME`, since two Pods with different environments must still meet.
 */
export function registryPlace(
  env: Readonly<Record<string, string | undefined>>,
  userHome: string | null,
): RegistryPlace {
  const moved = env['PODD_SCOPE_REGISTRY'] ?? '';
  if (moved !== '') {
    if (moved.startsWith('/')) return { kind: 'found', path: trimSlashes(moved), moved: true };
    return {
      kind: 'none',
      says: `PODD_SCOPE_REGISTRY is "${moved}", but it has to be an absolute path`,
    };
  }
  if (userHome === null || !userHome.startsWith('/'))
    return {
      kind: 'none',
      says: 'this user has no home folder in the user database; set PODD_SCOPE_REGISTRY to an absolute path, the same for all of this user’s Pods',
    };
  const home = trimSlashes(userHome);
  return {
    kind: 'found',
    path: `${home === '/' ? '' : home}/.local/state/podd/registry`,
    moved: false,
  };
}

/** A Pod's row, rewritten with it: the table is rebuilt from these when it is damaged or gone. */
export function allocationFile(registry: string, pod: string): string {
  return `${registry}/${pod}/allocation.json`;
}

/** What tells one process from every other, before and after it on this machine. */
export type ProcessIdentity = Pick<Allocation, 'pid' | 'startedAt' | 'bootId' | 'pidNamespace'>;

/** Whose life is asked about, and when it claimed (Unix ms). */
export type Holder = ProcessIdentity & Pick<Allocation, 'claimedAt'>;

/** Where it is asked from; `bootedAt` (Unix ms) is `btime` of `/proc/stat`, null where it can't be read. */
export type Here = Pick<ProcessIdentity, 'bootId' | 'pidNamespace'> & {
  readonly bootedAt: number | null;
};

/** What was found of a holder's process. `stat` is the text of `/proc/PID/stat`. */
export type Probe =
  | { readonly kind: 'absent' }
  | { readonly kind: 'found'; readonly stat: string }
  | { readonly kind: 'unreadable' };

/** `unknown` is not dead: nothing is taken from a holder because a look at it failed. */
export type Liveness = 'live' | 'dead' | 'unknown';

/**
 * Dead is: of another boot; no such pid; another start time; a zombie or a dead task. A stopped process lives. A row of
 * another boot id that was claimed since this boot is of a container that has an id of its own, or of another machine
 * that shares the folder: nothing is known of its process. A pid of
 * another namespace can't be asked about, and a process that can't be read is no dead one. Nor is a zombie that has
 * threads left: one of them may be inside a write that the kernel has not ended, and its file is not free before.
 */
export function judgeHolder(holder: Holder, here: Here, probe: Probe): Liveness {
  if (holder.bootId !== here.bootId) {
    const isOlder = holder.claimedAt <= (here.bootedAt ?? Number.POSITIVE_INFINITY);
    return here.bootId !== '' && isOlder ? 'dead' : 'unknown';
  }
  if (holder.pidNamespace !== here.pidNamespace || here.pidNamespace === '') return 'unknown';
  if (probe.kind === 'absent') return 'dead';
  if (probe.kind === 'unreadable') return 'unknown';
  const found = parseProcessStat(probe.stat);
  if (found === null) return 'unknown';
  if (found.startedAt !== holder.startedAt) return 'dead';
  if (found.state === 'X' || found.state === 'x') return 'dead';
  return found.state === 'Z' && found.threads <= 1 ? 'dead' : 'live';
}

/** `btime` of a `/proc/stat`, in Unix ms; null if it has none. */
export function parseBootTime(stat: string): number | null {
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/** What a `/proc/PID/stat` says; `startedAt` in clock ticks since boot, `state` one letter. */
export type ProcessStat = {
  readonly state: string;
  readonly threads: number;
  readonly startedAt: number;
};

/** Null if it has another form. A program's name may hold anything, so what counts comes after its last `)`. */
export function parseProcessStat(stat: string): ProcessStat | null {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  // Fields 3, 20 and 22 of the line.
  const [state = '', threads = '', startedAt = ''] = [fields[0], fields[17], fields[19]];
  if (!/^[A-Za-z]$/.test(state) || !/^\d+$/.test(threads) || !/^\d+$/.test(startedAt)) return null;
  return { state, threads: Number(threads), startedAt: Number(startedAt) };
}

function trimSlashes(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed;
}
