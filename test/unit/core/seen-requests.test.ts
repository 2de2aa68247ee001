import { describe, expect, test } from 'vitest';
import type { SeenRequest } from '../../../daemon/core/entry.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import {
  hashOfRequest,
  lookUpRequest,
  rememberRequest,
} from '../../../daemon/core/seen-requests.ts';

const asked = (requestId: string, text = 'go') => ({
  method: 'Run' as const,
  requestId,
  hash: hashOfRequest(text),
});

describe('the requests that were seen', () => {
  test('PROTO-17: the same id and text is the same request, another text a conflict, another method another request', () => {
    const seen = rememberRequest([], asked('a'), 5);
    expect(lookUpRequest(seen, asked('a'))).toEqual({
      kind: 'again',
      request: { ...asked('a'), at: 5 },
    });
    expect(lookUpRequest(seen, asked('a', 'stop'))).toEqual({ kind: 'conflict' });
    expect(lookUpRequest(seen, asked('b'))).toEqual({ kind: 'new' });
    expect(lookUpRequest(seen, { ...asked('a'), method: 'Notify' })).toEqual({ kind: 'new' });
  });

  test('PROTO-17 INV-12: ids are kept for 30 days, the last 10,000 of them', () => {
    const many = Array.from(
      { length: LIMITS.seenRequests },
      (_, n): SeenRequest => ({ ...asked(`i${n}`), at: n }),
    );
    const full = rememberRequest(many, asked('new'), LIMITS.seenRequests);
    expect(full).toHaveLength(LIMITS.seenRequests);
    expect(full[0]?.requestId).toBe('i1');
    const later = rememberRequest(many, asked('new'), LIMITS.seenRequestMs + 9_998);
    expect(later.map(({ requestId }) => requestId)).toEqual(['i9998', 'i9999', 'new']);
    expect(rememberRequest(later, asked('newest'), 3 * LIMITS.seenRequestMs)).toHaveLength(1);
  });
});
