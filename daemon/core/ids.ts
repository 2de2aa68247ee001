declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type SessionId = Branded<'SessionId'>;
export type RunId = Branded<'RunId'>;
/** The SHA-256 of an entry, 64 hex digits. */
export type EntryHash = Branded<'EntryHash'>;

export function sessionId(text: string): SessionId {
  return text as SessionId;
}

export function runId(text: string): RunId {
  return text as RunId;
}

export function entryHash(text: string): EntryHash {
  return text as EntryHash;
}
