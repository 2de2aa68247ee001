import * as v from 'valibot';

/** What a Pod is doing. `starting` and `stopped` are never seen on the wire: no socket serves then. */
export const StateName = v.picklist([
  'starting',
  'idle',
  'running',
  'paused',
  'stopping',
  'stopped',
]);

/** The part of a run that is under way; only `running` has one. */
export const Phase = v.picklist(['preparing', 'requesting', 'streaming', 'tools', 'compacting']);

/** What started a run. */
export const Trigger = v.picklist(['run', 'resume', 'notify', 'pod_event']);

export type StateName = v.InferOutput<typeof StateName>;
export type Phase = v.InferOutput<typeof Phase>;
export type Trigger = v.InferOutput<typeof Trigger>;
