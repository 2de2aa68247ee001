import type { Socket } from 'node:net';
import { JSON_RPC } from '../../protocol/faults.ts';
import type { Frame } from '../../protocol/framing.ts';
import { encodeLine, LineDecoder } from '../../protocol/framing.ts';
import type { Member, RequestId } from '../../protocol/request.ts';
import { readIncoming } from '../../protocol/request.ts';
import { LIMITS } from '../core/limits.ts';
import { ignore } from '../support/deferred.ts';
import type { Log } from '../ports/log.ts';
import { encodeBatch } from './batch-answer.ts';
import type { Dispatch } from './dispatch.ts';
import type { EventHub, Subscriber } from './event-hub.ts';
import type { LargeLines } from './large-lines.ts';

const PING = Buffer.from(encodeLine({ jsonrpc: '2.0', method: 'Ping' }), 'utf8');

type Services = {
  readonly dispatch: Dispatch;
  readonly hub: EventHub;
  readonly log: Log;
  readonly largeLines: LargeLines;
};

type LongLine = { deadline: NodeJS.Timeout | null; leave: () => void };

/**
 * One client. It answers what it is asked and says nothing else, until it is asked for events. A client that ends
 * its writing side still gets its answers; the server's side ends after the last one.
 *
 * One message is taken per turn of the event loop: a client that floods keeps nobody waiting, and what one message is
 * answered with is counted before the next is looked at.
 */
export class Connection implements Subscriber {
  readonly #socket: Socket;
  readonly #services: Services;
  #decoder = new LineDecoder(LIMITS.lineBytes);
  readonly #idsInFlight = new Set<string>();
  /** What was read and not yet taken: of one chunk at most, as reading pauses meanwhile. */
  #frames: readonly Frame[] = [];
  #taken = 0;
  #nextTurn: NodeJS.Immediate | undefined;
  /** Messages at work, notifications too. A batch counts once. */
  #working = 0;
  /** Those of them that are answered. */
  #owed = 0;
  #clientEnded = false;
  #refused = false;
  #closing = false;
  /** A long line that is not whole yet; without a deadline it waits for its place, and nothing is read. */
  #longLine: LongLine | null = null;
  /** Events that came between a Subscribe and its answer, which goes first; a few microtasks' worth. */
  #held: Buffer[] = [];
  #holds = 0;

  constructor(socket: Socket, services: Services) {
    this.#socket = socket;
    this.#services = services;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('end', () => {
      this.#end();
    });
    socket.on('drain', () => {
      this.#goOn();
    });
    socket.on('error', (error) => {
      // A client that vanished is no event worth a line above debug.
      services.log.debug('a connection broke', { err: error });
    });
    socket.on('close', () => {
      clearImmediate(this.#nextTurn);
      this.#leaveLongLine();
      services.hub.unsubscribe(this);
    });
  }

  unsentBytes(): number {
    return this.#socket.writableLength;
  }

  send(line: Buffer): void {
    if (this.#holds > 0) this.#held.push(line);
    else if (this.#socket.writable) this.#socket.write(line);
  }

  /** Finds out whether a subscriber is still there. Unsent lines do that already. */
  ping(): void {
    if (this.#services.hub.has(this) && this.unsentBytes() === 0) this.send(PING);
  }

  disconnect(): void {
    this.#services.log.warn('a client was disconnected: it was too far behind', {
      unsentBytes: this.#socket.writableLength,
    });
    this.#socket.destroy();
  }

  /** Sends what is owed as far as that goes, then ends. For the daemon's own end. */
  close(): void {
    this.#closing = true;
    this.#endIfDone();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#refused) return;
    this.#frames = [...this.#frames.slice(this.#taken), ...this.#decoder.push(chunk)];
    this.#taken = 0;
    this.#watchLongLine();
    this.#goOn();
  }

  #watchLongLine(): void {
    const isLong = this.#decoder.pendingBytes > LIMITS.shortLineBytes;
    if (!isLong) this.#leaveLongLine();
    else if (this.#longLine === null) {
      const line: LongLine = { deadline: null, leave: () => undefined };
      this.#longLine = line;
      line.leave = this.#services.largeLines.take(() => {
        line.deadline = setTimeout(() => {
          this.#refuseLine(
            `a line over ${LIMITS.shortLineBytes} bytes has to be whole within ${LIMITS.longLineMs} ms`,
          );
        }, LIMITS.longLineMs);
        this.#goOn();
      });
    }
  }

  #leaveLongLine(): void {
    if (this.#longLine === null) return;
    if (this.#longLine.deadline !== null) clearTimeout(this.#longLine.deadline);
    this.#longLine.leave();
    this.#longLine = null;
  }

  #end(): void {
    this.#clientEnded = true;
    if (this.#decoder.pendingBytes > 0)
      this.#services.log.info('a half line was dropped at the end of a connection', {
        bytes: this.#decoder.pendingBytes,
      });
    this.#goOn();
    // A subscriber that closed both sides is told from one that only stopped asking by the failing write.
    this.ping();
  }

  /** Takes the next message, unless the client is owed more than it takes: its own doing, and nobody else's memory. */
  #goOn(): void {
    if (this.#socket.destroyed) return;
    const queued = this.#longLine !== null && this.#longLine.deadline === null;
    if (this.#nextTurn !== undefined) {
      if (this.#frames.length > 0 || queued) this.#socket.pause();
      return;
    }
    const full =
      this.#working >= LIMITS.requestsInFlight ||
      this.#socket.writableLength > LIMITS.unsentAnswerBytes;
    const frame = full ? undefined : this.#frames[this.#taken];
    if (frame !== undefined) {
      this.#taken += 1;
      this.#nextTurn = setImmediate(() => {
        this.#nextTurn = undefined;
        this.#goOn();
      });
      this.#take(frame);
    }
    const waiting = this.#taken < this.#frames.length;
    if (!waiting) {
      this.#frames = [];
      this.#taken = 0;
    }
    if (full || waiting || queued) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    if (!waiting) this.#endIfDone();
  }

  #take(frame: Frame): void {
    if (frame.kind === 'too_long') {
      this.#refuseLine(`a line is at most ${LIMITS.lineBytes} bytes`);
      return;
    }
    if (frame.kind === 'not_utf8') {
      this.#answer(failure(null, JSON_RPC.parseError, 'a line is UTF-8'));
      return;
    }
    if (frame.text.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(frame.text);
    } catch {
      this.#answer(failure(null, JSON_RPC.parseError, 'a line is one JSON value'));
      return;
    }
    const incoming = readIncoming(value);
    switch (incoming.kind) {
      case 'refused':
        this.#answer(failure(null, JSON_RPC.invalidRequest, incoming.says));
        return;
      case 'single':
        this.#serve([incoming.member], ([answer]) => answer && encodeLine(answer));
        return;
      case 'batch':
        this.#serve(incoming.members, encodeBatch);
        return;
    }
  }

  #serve(
    members: readonly Member[],
    encode: (answers: readonly object[]) => string | undefined,
  ): void {
    const owes = members.some((one) => one.kind === 'invalid' || one.request.id !== undefined);
    this.#working += 1;
    if (owes) this.#owed += 1;
    // A batch is answered when its last member is, which may be a run's end: events can't wait for that.
    const holder = members.length === 1 ? this.#holdEvents.bind(this) : this.#sendAll.bind(this);
    let releases = 0;
    const work = async (): Promise<void> => {
      const answers = await Promise.all(
        members.map((member) =>
          this.#answerTo(member, (lines) => {
            releases += holder(lines);
          }),
        ),
      );
      const line = encode(answers.filter((one) => one !== null));
      this.#working -= 1;
      if (owes) this.#owed -= 1;
      if (line !== undefined) this.#write(line);
      for (; releases > 0; releases -= 1) this.#releaseEvents();
      this.#goOn();
    };
    ignore(work(), 'dispatch never throws, and a broken socket tells it by its own event');
  }

  async #answerTo(
    member: Member,
    afterAnswer: (lines: readonly Buffer[]) => void,
  ): Promise<object | null> {
    if (member.kind === 'invalid') return failure(member.id, JSON_RPC.invalidRequest, member.says);
    const { request } = member;
    const key = request.id === undefined ? null : JSON.stringify(request.id);
    if (key !== null && this.#idsInFlight.has(key))
      return failure(
        request.id ?? null,
        JSON_RPC.invalidRequest,
        `id ${key.slice(0, 100)} is still being answered on this connection`,
      );
    if (key !== null) this.#idsInFlight.add(key);
    try {
      return await this.#services.dispatch(request, {
        subscriber: this,
        afterAnswer,
        isNotification: request.id === undefined,
      });
    } finally {
      if (key !== null) this.#idsInFlight.delete(key);
    }
  }

  // The rest of the line can't be told from a new one. It is read and thrown away for a moment, so that the client gets its answer.
  #refuseLine(says: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#decoder = new LineDecoder(0);
    this.#leaveLongLine();
    this.#socket.end(encodeLine(failure(null, JSON_RPC.invalidRequest, says)));
    this.#socket.resume();
    const timer = setTimeout(() => {
      this.#socket.destroy();
    }, LIMITS.closeStepMs);
    this.#socket.once('close', () => {
      clearTimeout(timer);
    });
  }

  #holdEvents(lines: readonly Buffer[]): number {
    this.#holds += 1;
    this.#held.push(...lines);
    return 1;
  }

  #releaseEvents(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const held = this.#held;
    this.#held = [];
    this.#sendAll(held);
  }

  #sendAll(lines: readonly Buffer[]): number {
    for (const line of lines) this.send(line);
    return 0;
  }

  #answer(answer: object): void {
    this.#write(encodeLine(answer));
  }

  #write(line: string): void {
    if (this.#socket.writable) this.#socket.write(line);
  }

  #endIfDone(): void {
    if (this.#owed > 0) return;
    if (this.#closing || (this.#clientEnded && !this.#services.hub.has(this))) this.#socket.end();
  }
}

function failure(id: RequestId, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
