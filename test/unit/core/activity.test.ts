import { expect, test } from 'vitest';
import { Activity } from '../../../daemon/core/activity.ts';
import { InvariantError } from '../../../daemon/core/assert.ts';

test('PROTO-20 INV-6: a run is quiet when the last of what it began has ended, whatever the order', () => {
  let quiet = 0;
  const activity = new Activity(() => (quiet += 1));
  const endRequest = activity.begin({ kind: 'request', id: 'm' });
  const endCall = activity.begin({ kind: 'tool_call', id: 'c' });
  endRequest();
  expect(activity.list()).toEqual([{ kind: 'tool_call', id: 'c' }]);
  expect(quiet).toBe(0);
  endCall();
  expect(quiet).toBe(1);
  expect(endCall).toThrow(InvariantError);
});
