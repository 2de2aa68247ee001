/** `kernel`: gone with its holder, at once. `portable`: a folder that its holder keeps fresh, for file systems without it. */
export type LockKind = 'kernel' | 'portable';

/** Who asks; those who wait for it are told. */
export type LockHolder = { readonly pod: string; readonly pid: number };

/** Let go when disposed; a second time is harmless. */
export type HeldLock = AsyncDisposable & {
  /**
   * Asked right before the table is replaced, which has to follow at once. False: somebody took the lock, or the
   * folder is another one; nothing may be written any more.
   */
  readonly isOurs: () => Promise<boolean>;
};

/** Guards the registry's table between processes, and between callers of one process. */
export type RegistryLock = {
  readonly kind: LockKind;
  /**
   * Waits for its turn. Throws `taken` naming the holder when the wait is over, `cannot_create` when the folder can't
   * be used or was made anew with the other kind, and the signal's reason when it aborts.
   */
  readonly acquire: (holder: LockHolder, signal: AbortSignal) => Promise<HeldLock>;
};

/** What a lock needs to know of its folder. */
export type LockSite = {
  /** Absolute. */
  readonly folder: string;
  /** A wait for the lock. */
  readonly limitMs: number;
  /** Makes the folder again if it is gone. Throws unless its kind is the one that this lock has. */
  readonly confirm: () => Promise<void>;
};
