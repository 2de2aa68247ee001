import { Fault } from '../core/fault.ts';
import type { Control, Work } from './pod-events.ts';

/** Answers all that still waits in the inbox of a Pod that has stopped. */
export function refuseWaiting(events: Iterable<Control | Work>): void {
  for (const event of events) {
    if ('asker' in event) event.asker.answer.reject(stopped('shutting_down'));
    else if (event.kind === 'notifyAsked') event.answer.reject(stopped('shutting_down'));
    else if (event.kind === 'cancelAsked' || event.kind === 'pauseAsked')
      event.answer.reject(stopped('not_running'));
    else if (event.kind === 'stopAsked') event.answer.resolve();
  }
}

function stopped(code: 'shutting_down' | 'not_running'): Fault {
  return new Fault(code, 'this Pod has stopped');
}
