/** What the journal is kept in: ordered keys with bytes. The journal alone knows what they mean. */
export type KeyValueStore = AsyncDisposable & {
  readonly get: (key: string) => Promise<Uint8Array | undefined>;
  /** Ascending by the keys' bytes, from `from` up to, and without, `to`; the other way round if it is reversed. */
  readonly read: (range: KeyRange) => AsyncIterable<StoredValue>;
  /**
   * All or nothing, on disk (fsync) when it resolves; a later operation on a key wins over an earlier one. When it
   * rejects, whether it landed is unknown until the next `get`, and the next use tries a fresh handle.
   */
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
};

export type KeyRange = {
  readonly from: string;
  readonly to: string;
  readonly isReversed?: true;
};
export type StoredValue = { readonly key: string; readonly value: Uint8Array };

export type StoreOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'remove'; readonly key: string };
