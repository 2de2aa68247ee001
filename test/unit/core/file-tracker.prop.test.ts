import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileTouch } from '../../../protocol/items.ts';
import { FileTracker } from '../../../daemon/core/file-tracker.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';

const touch: fc.Arbitrary<FileTouch> = fc.record({
  path: fc.integer({ min: 0, max: 30 }).map((n) => `/f${n}`),
  hash: fc.constantFrom('h1', 'h2', 'h3'),
  op: fc.constantFrom('read', 'write'),
});
const touches = fc.array(touch, { maxLength: 80 });
const filesMax = fc.integer({ min: 1, max: 40 });

function tracked(max: number, ...batches: readonly (readonly FileTouch[])[]): FileTracker {
  const tracker = new FileTracker(max);
  for (const batch of batches) tracker.apply(batch);
  return tracker;
}

describe('FileTracker', () => {
  test('TOOL-5: a tracker that goes on from another’s files, stored in between, ends as one that saw it all', () => {
    fc.assert(
      fc.property(filesMax, touches, touches, (max, before, after) => {
        const stored = JSON.stringify(tracked(max, before).files());
        const carried = new FileTracker(
          max,
          JSON.parse(stored) as ReturnType<FileTracker['files']>,
        );
        expect(JSON.stringify(carried.files())).toBe(stored);
        carried.apply(after);
        const whole = tracked(max, before, after);
        expect(carried.files()).toEqual(whole.files());
        expect(carried.recent(LIMITS.recentFiles)).toEqual(whole.recent(LIMITS.recentFiles));
      }),
    );
  });

  test('TOOL-5 INV-12: it holds the last touch of the last files, in their order, and what was written of them', () => {
    fc.assert(
      fc.property(filesMax, touches, fc.integer({ min: -1, max: 30 }), (max, all, count) => {
        const tracker = tracked(max, all);
        const newest = [...new Set(all.map(({ path }) => path).reverse())];
        const kept = newest.slice(0, max);
        const files = tracker.files();
        expect(files.map(({ path }) => path)).toEqual(kept.toReversed());
        for (const { path, hash, wrote } of files) {
          const own = all.filter((one) => one.path === path);
          expect(hash).toBe(own.at(-1)?.hash);
          expect(tracker.hashOf(path)).toBe(hash);
          // One that was forgotten in between does not know of a write before that.
          if (newest.length <= max)
            expect(wrote).toBe(own.some(({ op }) => op === 'write') ? true : undefined);
          else if (wrote === true) expect(own.some(({ op }) => op === 'write')).toBe(true);
        }
        const most = Math.max(0, Math.min(count, LIMITS.recentFiles));
        expect(tracker.recent(count)).toEqual(kept.slice(0, most));
      }),
    );
  });
});
