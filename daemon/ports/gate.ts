import type { FileAccess } from './tool.ts';

declare const passed: unique symbol;

/** Proof that a call went through the gate; only a gate can make one, and nothing runs without it. */
export type Passed<T> = T & { readonly [passed]: true };

/** A call whose arguments fit its tool's schema. */
export type CheckedCall = {
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  readonly accesses: readonly FileAccess[];
};

export type GateAnswer<T> =
  | { readonly kind: 'allowed'; readonly passed: Passed<T> }
  /** `reason` is told to the model. */
  | { readonly kind: 'denied'; readonly reason: string };

/** The one place that says whether something may run: every tool call and every model request crosses it. */
export type Gate = {
  readonly call: (call: CheckedCall, signal: AbortSignal) => Promise<GateAnswer<CheckedCall>>;
  readonly request: <R extends object>(request: R) => Promise<GateAnswer<R>>;
};
