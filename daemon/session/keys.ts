import { invariant } from '../core/assert.ts';
import { type SessionId, sessionId } from '../core/ids.ts';
import type { KeyRange } from './store.ts';

/**
 * Where things lie in the store:
 *
 *   format                 the number of this layout
 *   s!<session>!<seq>      an entry of a session log        S!<session>  its head
 *   j!<chain>!<seq>        an entry of the journal          J            its head, with the number of its chain
 *
 * Numbers are padded, so that the order of keys is the order of entries.
 */
export const FORMAT_KEY = 'format';
/** Everything that the journal stores, `format` aside, lies in this range. */
export const ALL_LOGS: readonly KeyRange[] = [
  { from: 'J', to: 'T' },
  { from: 'j!', to: 't' },
];

const SEQ_DIGITS = 12;
const CHAIN_DIGITS = 8;

/** The place of one log. */
export type LogPlace = {
  /** For messages. */
  readonly name: string;
  readonly headKey: string;
  /** Keys of entries are this and their padded number. */
  readonly prefix: string;
};

const HEAD_PREFIX = 'S!';
/** The heads of all sessions. */
export const SESSION_HEADS: KeyRange = { from: HEAD_PREFIX, to: 'S~' };

/** The session whose head lies there. */
export function sessionOfHead(key: string): SessionId {
  return sessionId(key.slice(HEAD_PREFIX.length));
}

export function sessionLog(id: SessionId): LogPlace {
  invariant(/^[\w.-]+$/.test(id), `a session id that can't be a key: ${id}`);
  return { name: `session ${id}`, headKey: `${HEAD_PREFIX}${id}`, prefix: `s!${id}!` };
}

export function journalLog(chain: number): LogPlace {
  const padded = String(chain).padStart(CHAIN_DIGITS, '0');
  return { name: 'the journal', headKey: 'J', prefix: `j!${padded}!` };
}

/** `seq` counts from 0. */
export function entryKey(place: LogPlace, seq: number): string {
  return `${place.prefix}${String(seq).padStart(SEQ_DIGITS, '0')}`;
}

/** All entries of one log; another log whose id begins with this one's is not in it. */
export function entryRange(place: LogPlace): KeyRange {
  return { from: place.prefix, to: `${place.prefix}~` };
}
