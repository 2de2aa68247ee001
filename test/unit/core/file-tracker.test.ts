import { expect, test } from 'vitest';
import { FileTracker } from '../../../daemon/core/file-tracker.ts';

test('TOOL-3 INV-12: the tracker knows the last hash of each file, and forgets the least recently touched', () => {
  const tracker = new FileTracker(2, [{ path: '/a', hash: '1' }]);
  tracker.apply([{ path: '/b', hash: '2', op: 'read' }]);
  tracker.apply([{ path: '/a', hash: '3', op: 'write' }]);
  tracker.apply([{ path: '/c', hash: '4', op: 'read' }]);
  expect(tracker.hashOf('/b')).toBeUndefined();
  expect(tracker.files()).toEqual([
    { path: '/a', hash: '3' },
    { path: '/c', hash: '4' },
  ]);
});
