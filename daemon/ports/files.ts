import type { Result } from '../core/result.ts';

/** Why a file was not touched, in words for a model. */
export type FileRefusal = {
  readonly kind:
    | 'not_absolute'
    | 'outside_scope'
    | 'not_writable'
    | 'missing'
    | 'directory'
    | 'special'
    | 'too_large'
    | 'changed'
    | 'exists'
    | 'fenced'
    | 'unreachable';
  readonly says: string;
};

/** A regular file that was opened, checked by what the kernel says it is, and stays that file until closed. */
export type OpenedFile = AsyncDisposable & {
  /** Canonical: the path that the kernel names for the open file. */
  readonly path: string;
  readonly bytes: number;
  /** Pieces of at most 64 KiB, from the start to the end. */
  readonly chunks: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
};

/**
 * What a write begins with: the place is resolved, pinned and in scope for writing; nothing has changed yet.
 * `existing` is the file that is there now, if any.
 */
export type WriteTarget = AsyncDisposable & {
  readonly path: string;
  readonly existing: OpenedFile | null;
  /**
   * Puts `bytes` there in one step: a reader sees the old file or the new one, whole. Mode and owner of an
   * existing file are kept. It refuses if the place is no longer what was pinned; durable when it answers.
   */
  readonly replace: (bytes: Uint8Array, signal: AbortSignal) => Promise<Result<null, FileRefusal>>;
};

/**
 * User files, and the only way to them. Scope is checked on what was really opened, not on what was asked for.
 * Paths are absolute; `..` and links are followed first and judged after.
 */
export type Files = {
  readonly openForRead: (
    path: string,
    signal: AbortSignal,
  ) => Promise<Result<OpenedFile, FileRefusal>>;
  /** Makes no folder yet: missing ones, in scope, are made by `replace`. */
  readonly openForWrite: (
    path: string,
    signal: AbortSignal,
  ) => Promise<Result<WriteTarget, FileRefusal>>;
  /** One name for each file whatever path leads to it, so that two calls on one file can take turns. Grants nothing. */
  readonly identify: (path: string) => Promise<string>;
};
