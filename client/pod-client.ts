import { JSONRPCClient, JSONRPCErrorException } from 'json-rpc-2.0';
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { EventParams, type PodEventBody } from '../protocol/events.ts';
import { type RpcFaultName, RPC_CODES } from '../protocol/faults.ts';
import { encodeLine, LINE_BYTES_MAX, LineDecoder } from '../protocol/framing.ts';
import type { Method, Params, Reply } from '../protocol/methods.ts';
import { PodError } from './pod-error.ts';

/** `seq` rises by one within an `epoch`; a delta repeats that of the event before it. `ts` is Unix time in milliseconds. */
export type PodEvent = PodEventBody & {
  readonly epoch: number;
  readonly seq: number;
  readonly ts: number;
};

export type RequestLimits = { readonly deadlineMs?: number; readonly signal?: AbortSignal };

/** A daemon that is newer may say more in an envelope; what it says besides is not looked at. */
const Envelope = v.object(EventParams.entries);

/**
 * One connection to a Pod. Requests may overlap; each is answered or rejected with a `PodError`, at the latest when the
 * connection goes. Events reach listeners in the order they came, once `Subscribe` was answered or even before.
 */
export class PodClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #decoder = new LineDecoder();
  readonly #listeners = new Set<(event: PodEvent) => void>();
  readonly #rpc: JSONRPCClient;
  readonly #closed: Promise<void>;
  #broken: PodError | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#rpc = new JSONRPCClient((message: object) => {
      this.#send(message);
    });
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    socket.on('error', (error) => {
      this.#break(new PodError('disconnected', 'the connection broke', { cause: error }));
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#break(new PodError('disconnected', 'the Pod closed the connection'));
        resolve();
      });
    });
  }

  /** Resolves when the connection is gone, whoever closed it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * Rejects with a `PodError` (`no_answer` at the deadline), or with the signal's reason. Either way the Pod goes on
   * with what was asked. Without a deadline it waits as long as the connection lives: a `Run` takes what it takes.
   */
  async request<M extends Method>(
    method: M,
    params: Params<M>,
    limits: RequestLimits = {},
  ): Promise<Reply<M>> {
    limits.signal?.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken;
    const patience = waitAtMost(method, limits);
    try {
      return await Promise.race([this.#ask(method, params), patience.over]);
    } finally {
      patience.stop();
    }
  }

  /** Registered when it returns. The connection's events only come after a `Subscribe`. */
  onEvent(listener: (event: PodEvent) => void): Disposable {
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
      },
    };
  }

  /** Idempotent: a second close waits for the first. What is still open is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#break(new PodError('disconnected', 'this client was closed'));
    await this.#closed;
  }

  async #ask<M extends Method>(method: M, params: Params<M>): Promise<Reply<M>> {
    try {
      // An answer is taken as the daemon's word: checking it strictly would refuse a field that a later version adds.
      return (await this.#rpc.request(method, params)) as Reply<M>;
    } catch (error) {
      throw this.#reasonOf(error);
    }
  }

  /** Once the connection is gone, that is why every request failed. */
  #reasonOf(error: unknown): PodError {
    if (this.#broken !== undefined) return this.#broken;
    if (error instanceof JSONRPCErrorException) return toPodError(error);
    return new PodError('bad_answer', 'what came is no JSON-RPC answer', { cause: error });
  }

  #send(message: object): void {
    const line = encodeLine(message);
    if (Buffer.byteLength(line) > LINE_BYTES_MAX + 1)
      throw new PodError('refused', `a request has at most ${LINE_BYTES_MAX} bytes`);
    this.#socket.write(line);
  }

  #take(chunk: Buffer): void {
    for (const frame of this.#decoder.push(chunk)) {
      if (this.#broken !== undefined) return;
      if (frame.kind === 'line') this.#read(frame.text);
      else this.#break(new PodError('bad_answer', 'what came is not UTF-8 or too long a line'));
    }
  }

  #read(line: string): void {
    const message = parseObject(line);
    if (message === undefined) {
      this.#break(new PodError('bad_answer', 'what came is not a JSON-RPC message'));
    } else if ('method' in message) {
      const params = v.safeParse(Envelope, message['params']);
      // Other notifications, such as `Ping`, and events of a later version tell this client nothing.
      if (message['method'] !== 'Event' || !params.success) return;
      for (const listener of this.#listeners) listener(params.output as PodEvent);
    } else {
      // The library throws on null and reads fields unseen, so it is only handed an object.
      this.#rpc.receive(message as unknown as Parameters<JSONRPCClient['receive']>[0]);
    }
  }

  #break(error: PodError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#rpc.rejectAllPendingRequests(error.message);
    this.#socket.destroy();
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

type Patience = { readonly over: Promise<never>; readonly stop: () => void };

/** `over` rejects when the request was waited for long enough; `stop` leaves no timer and no listener. */
function waitAtMost(method: string, { deadlineMs, signal }: RequestLimits): Patience {
  let stop = (): void => undefined;
  const over = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      const reason: unknown = signal?.reason;
      reject(reason instanceof Error ? reason : new PodError('no_answer', `${method} was aborted`));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const giveUp = (): void => {
      reject(new PodError('no_answer', `${method} was not answered in ${deadlineMs ?? 0} ms`));
    };
    const timer = deadlineMs === undefined ? undefined : setTimeout(giveUp, deadlineMs);
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  return { over, stop };
}

function toPodError(error: JSONRPCErrorException): PodError {
  const data: unknown = error.data;
  const name =
    typeof data === 'object' && data !== null && 'code' in data ? String(data.code) : undefined;
  if (name !== undefined && Object.hasOwn(RPC_CODES, name))
    return new PodError(name as RpcFaultName, error.message, { data });
  return new PodError('refused', `${error.message}${issuesOf(data)}`, { data });
}

/** `-32602` names each param that does not fit. */
function issuesOf(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('issues' in data)) return '';
  return `: ${JSON.stringify(data.issues)}`;
}
