import type { EventParams } from '../../protocol/events.ts';
import type { EventHub, Subscriber } from '../../daemon/rpc/event-hub.ts';

/** A subscriber without a socket: it keeps what it is sent, and is as far behind as it is told to be. */
export class HubReader implements Subscriber {
  readonly lines: Buffer[] = [];
  unsent = 0;
  disconnected = 0;

  readonly unsentBytes = (): number => this.unsent;
  readonly send = (line: Buffer): void => {
    this.lines.push(line);
  };
  readonly disconnect = (): void => {
    this.disconnected += 1;
  };

  /** As a connection does: the replay comes right after the answer. */
  subscribe(
    hub: EventHub,
    options: Parameters<EventHub['subscribe']>[1],
  ): ReturnType<EventHub['subscribe']> {
    const answer = hub.subscribe(this, options);
    this.lines.push(...answer.replay);
    return answer;
  }

  get params(): EventParams[] {
    return this.lines.map(
      (line) => (JSON.parse(line.toString('utf8')) as { params: EventParams }).params,
    );
  }

  seen(): [seq: number, event: string][] {
    return this.params.map(({ seq, event }) => [seq, event]);
  }
}
