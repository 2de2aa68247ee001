import type * as v from 'valibot';
import type { FileTouch } from '../../protocol/items.ts';
import type { CallIntent } from '../core/entry.ts';
import type { Files } from './files.ts';

/** What a tool answers. The caps on it are the caller's (`core/truncate`), after hooks have seen the whole. */
export type ToolOutcome = {
  readonly summary: string;
  readonly content?: string;
  readonly isError?: boolean;
  readonly files?: readonly FileTouch[];
};

/** Which files a call names, before it runs: what the gate judges, and what calls of one turn take turns by. */
export type FileAccess = { readonly path: string; readonly need: 'read' | 'write' };

/** Everything a tool can reach. */
export type ToolPorts = {
  readonly files: Files;
  /** Hash of the file as this line of sessions last read or wrote it; undefined if it never did. */
  readonly knownHash: (path: string) => string | undefined;
  /** Stores what is about to be done; a tool that changes anything waits for it first. It throws if the disk refuses. */
  readonly intend: (intent: CallIntent) => Promise<void>;
};

/**
 * One tool. `run` gets arguments that fit `parameters`, answers every expected failure as an outcome with `isError`,
 * and stops soon after its signal aborts. Anything it throws is a bug of the tool or the end of its signal.
 */
export type Tool<S extends v.GenericSchema = v.GenericSchema> = {
  readonly name: string;
  readonly description: string;
  readonly schema: S;
  /** Read-only tools may start before the answer that called them is on disk. */
  readonly effect: 'none' | 'files';
  // Methods, not fields: a box of tools holds them by their common type, and only `schema`'s output reaches them.
  accesses(args: v.InferOutput<S>): readonly FileAccess[];
  run(args: v.InferOutput<S>, ports: ToolPorts, signal: AbortSignal): Promise<ToolOutcome>;
};
