import { describe, expect, test } from 'vitest';
import { LINE_BYTES_MAX } from '../../../protocol/framing.ts';
import { SOCKET_PATH_BYTES_MAX } from '../../../protocol/paths.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { pageOf } from '../../../daemon/core/history-page.ts';
import { sessionId } from '../../../daemon/core/ids.ts';
import { SessionProjection } from '../../../daemon/core/session-state.ts';
import { runStart, sessionStart } from '../../support/session-entries.ts';

describe('LIMITS', () => {
  test('INV-12: an entry fits a line of the wire, with room for JSON around it', () => {
    expect(LIMITS.lineBytes).toBe(LINE_BYTES_MAX);
    expect(LIMITS.entryBytes + 1024 * 1024).toBeLessThan(LIMITS.lineBytes);
    expect(LIMITS.historyPageBytes + LIMITS.entryBytes).toBeLessThanOrEqual(LIMITS.lineBytes);
    expect(LIMITS.resultContentBytes).toBeLessThan(LIMITS.entryBytes);
    expect(LIMITS.commitQueueBytes).toBeGreaterThan(LIMITS.entryBytes);
  });

  test('INV-12: the largest answer fits one line of a stream, in whatever script, and a stream has room for more', () => {
    expect(3 * LIMITS.answerUnits).toBeLessThan(LIMITS.responseLineBytes);
    expect(2 * LIMITS.responseLineBytes).toBeLessThanOrEqual(LIMITS.responseBytes);
    // Where nobody sets them, a refusal's text is given up before its request is.
    expect(LIMITS.refusalMs).toBeLessThan(LIMITS.firstEventMs);
  });

  test('INV-12: what is kept for one slow client is bounded in the order in which it is cut off', () => {
    expect(LIMITS.unsentDeltaBytes).toBeLessThan(LIMITS.unsentBytes);
    expect(LIMITS.unsentAnswerBytes).toBeLessThan(LIMITS.unsentBytes);
    // A replay of the whole ring must not disconnect the one who asked for it.
    expect(LIMITS.ringBytes).toBeLessThan(LIMITS.unsentBytes);
  });

  test('INV-6: the parts of a stop fit the whole, and a call gives up before a cancel does', () => {
    expect(LIMITS.stopAbandonMs).toBeLessThan(LIMITS.stopCancelMs);
    expect(LIMITS.stopCancelMs).toBeLessThan(LIMITS.shutdownNowMs);
    expect(LIMITS.closeStepMs).toBeLessThanOrEqual(LIMITS.stopAbandonMs / 2);
    expect(LIMITS.toolAbortMs).toBeLessThan(LIMITS.cancelMs);
    expect(LIMITS.toolAbortMs).toBeLessThan(LIMITS.shutdownNowMs - LIMITS.stopAbandonMs);
    expect(LIMITS.shutdownNowMs).toBeLessThan(LIMITS.shutdownGracefulMs);
  });

  test('PATH-2: daemon and client know the same length of a socket path', () => {
    expect(LIMITS.socketPathBytes).toBe(SOCKET_PATH_BYTES_MAX);
  });

  test('INV-12: a page of history has at most so many items and bytes', () => {
    const item = { type: 'message', role: 'user', content: [{ type: 'text', text: 'x' }] } as const;
    const limits = { items: LIMITS.historyPageItems, bytes: LIMITS.historyPageBytes };
    const many = Array.from({ length: LIMITS.historyPageItems + 1 }, () => ({
      ...item,
      content: [...item.content],
    }));
    expect(pageOf(many, 0, limits).items).toHaveLength(LIMITS.historyPageItems);
    const big = Array.from({ length: 6 }, () => ({
      ...item,
      content: [{ type: 'text' as const, text: 'x'.repeat(LIMITS.historyPageBytes / 4) }],
    }));
    expect(pageOf(big, 0, limits).items).toHaveLength(3);
  });

  test('TOOL-3 TOOL-5 INV-12: a session tracks so many files and forgets the least recently touched', () => {
    const id = sessionId('many');
    const session = new SessionProjection(id);
    session.apply(sessionStart(id));
    session.apply(runStart());
    const touch = (n: number): void => {
      const callId = `c${n}`;
      const files = [{ path: `/f${n}`, hash: 'h', op: 'read' as const }];
      session.apply({
        kind: 'assistant_items',
        at: 0,
        items: [{ type: 'tool_call', callId, name: 'Read', arguments: '{}' }],
      });
      session.apply({
        kind: 'tool_results',
        at: 0,
        items: [{ type: 'tool_result', callId, summary: 's', files }],
      });
    };
    for (let n = 0; n <= LIMITS.trackedFiles; n += 1) touch(n);
    expect(session.tracker.files()).toHaveLength(LIMITS.trackedFiles);
    expect(session.tracker.hashOf('/f0')).toBeUndefined();
  });
});
