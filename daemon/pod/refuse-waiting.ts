import { Fault } from '../core/fault.ts';
import type { Control, Work } from './pod-events.ts';

/** Answers all that still waits in the inbox of a Pod that has stopped. */
export function refuseWaiting(events: Iterable<Control | Work>): void {
  for (const event of events)
    if (event.kind === 'stopAsked') event.answer.resolve();
    else failEvent(event, stopped(isOfRun(event) ? 'not_running' : 'shutting_down'));
}

/** Whoever waits for what the event asks for, if it does. */
export function failEvent(event: Control | Work, error: unknown): void {
  if ('asker' in event) event.asker.answer.reject(error);
  else if ('answer' in event) event.answer.reject(error);
}

function isOfRun({ kind }: Control | Work): boolean {
  return kind === 'cancelAsked' || kind === 'pauseAsked';
}

function stopped(code: 'shutting_down' | 'not_running'): Fault {
  return new Fault(code, 'this Pod has stopped');
}
