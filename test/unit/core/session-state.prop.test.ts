import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntry, encodeEntry } from '../../../daemon/session/codec.ts';
import { SESSION_KINDS, type SessionEntry } from '../../../daemon/core/entry.ts';
import { itemBytes } from '../../../daemon/core/item-bytes.ts';
import { SessionProjection, type SessionState } from '../../../daemon/core/session-state.ts';
import { SESSION, validHistory } from '../../support/session-entries.ts';

function fold(entries: readonly SessionEntry[]): SessionProjection {
  const session = new SessionProjection(SESSION);
  for (const entry of entries) session.apply(entry);
  return session;
}

function plain({ tracker, ...rest }: SessionState): unknown {
  return { ...rest, files: tracker.files() };
}

describe('SessionProjection', () => {
  test('LOG-6: what is stored and read again in pieces folds to the state that was live', () => {
    fc.assert(
      fc.property(validHistory, fc.nat(), (history, at) => {
        const live = fold(history);
        const cut = at % (history.length + 1);
        const again = fold(history.slice(0, cut));
        for (const entry of history.slice(cut)) {
          const decoded = decodeEntry<SessionEntry>(encodeEntry(entry), SESSION_KINDS);
          if (!decoded.ok) throw new Error(decoded.error);
          again.apply(decoded.value);
        }
        expect(plain(again)).toEqual(plain(live));
      }),
    );
  });

  test('LOG-6: the bytes of the history are the sum of its items at every step', () => {
    fc.assert(
      fc.property(validHistory, (history) => {
        const session = new SessionProjection(SESSION);
        for (const entry of history) {
          session.apply(entry);
          const bytes = session.items.reduce((sum, item) => sum + itemBytes(item), 0);
          expect(session.sizes.bytesAt(session.items.length)).toBe(bytes);
        }
      }),
    );
  });
});
