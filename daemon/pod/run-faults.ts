import { Fault } from '../core/fault.ts';
import type { RunId } from '../core/ids.ts';

export function lostScope(): Fault {
  return new Fault('fenced', 'this Pod’s scope is no longer its own in the registry: it stops');
}

/** Whoever waited for the run learns which one it was. */
export function withRun(fault: Fault, runId: RunId): Fault {
  return new Fault(fault.code, fault.message, {
    cause: fault,
    data: { ...fault.data, runId },
  });
}
