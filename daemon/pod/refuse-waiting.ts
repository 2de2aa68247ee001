import { Fault } from '../core/fault.ts';
import type { Control, Work } from './pod-events.ts';

/** Answers all that still waits in the inbox of a Pod that has stopped. */
export function refuseWaiting(events: Iterable<Control | Work>): void {
  for (const event of events) {
    const fault = new Fault('shutting_down', 'this Pod has stopped');
    if (event.kind === 'runAsked' || event.kind === 'resumeAsked')
      event.request.answer.reject(fault);
    else if (event.kind === 'cancelAsked')
      event.answer.reject(new Fault('not_running', 'this Pod has stopped'));
    else if (event.kind === 'stopAsked') event.answer.resolve();
  }
}
