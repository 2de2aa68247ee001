import { describe, expect, test } from 'vitest';
import { FileTracker } from '../../../daemon/core/file-tracker.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';

describe('FileTracker', () => {
  test('TOOL-3 TOOL-5 INV-12: the tracker knows the last hash of each file, and forgets the least recently touched', () => {
    const tracker = new FileTracker(2, [{ path: '/a', hash: '1' }]);
    tracker.apply([{ path: '/b', hash: '2', op: 'read' }]);
    tracker.apply([{ path: '/a', hash: '3', op: 'read' }]);
    tracker.apply([{ path: '/c', hash: '4', op: 'read' }]);
    expect(tracker.hashOf('/b')).toBeUndefined();
    expect(tracker.files()).toEqual([
      { path: '/a', hash: '3' },
      { path: '/c', hash: '4' },
    ]);
  });

  test('TOOL-5: what was written stays so when it is read again, and not when it was forgotten in between', () => {
    const tracker = new FileTracker(2, [{ path: '/a', hash: '1', wrote: true }]);
    tracker.apply([
      { path: '/b', hash: '2', op: 'write' },
      { path: '/a', hash: '1', op: 'read' },
    ]);
    expect(tracker.files()).toEqual([
      { path: '/b', hash: '2', wrote: true },
      { path: '/a', hash: '1', wrote: true },
    ]);
    tracker.apply([
      { path: '/c', hash: '3', op: 'read' },
      { path: '/b', hash: '2', op: 'read' },
    ]);
    expect(tracker.files()).toEqual([
      { path: '/c', hash: '3' },
      { path: '/b', hash: '2' },
    ]);
  });

  test('TOOL-5 INV-12: the most recent are told with the last touch first, and no more than so many', () => {
    const tracker = new FileTracker(100);
    expect(tracker.recent(5)).toEqual([]);
    for (let n = 0; n <= LIMITS.recentFiles; n += 1)
      tracker.apply([{ path: `/f${n}`, hash: 'h', op: n % 2 === 0 ? 'read' : 'write' }]);
    tracker.apply([{ path: '/f3', hash: 'h', op: 'read' }]);
    expect(tracker.recent(3)).toEqual(['/f3', '/f20', '/f19']);
    expect(tracker.recent(0)).toEqual([]);
    const all = tracker.recent(1_000);
    expect(all).toHaveLength(LIMITS.recentFiles);
    expect(all).not.toContain('/f0');
  });
});
