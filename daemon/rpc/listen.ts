import { chmod, lstat, rename, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { encodeLine } from '../../protocol/framing.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../ports/log.ts';
import { Connection } from './connection.ts';
import type { Dispatch } from './dispatch.ts';
import type { EventHub } from './event-hub.ts';
import { LargeLines } from './large-lines.ts';
import { toRpcError } from './to-rpc-error.ts';

export type RpcServer = AsyncDisposable & { readonly connections: () => number };

type Services = { readonly dispatch: Dispatch; readonly hub: EventHub; readonly log: Log };
type Joint = Services & { readonly largeLines: LargeLines };

/**
 * Serves the socket at `path`, mode 0600. A socket file that nobody answers at is a dead Pod's and is removed;
 * one that answers is a Fault `taken`. The caller holds the Pod's name, so nobody else does the same at this moment.
 * After a close the file is still there, for the owner of its folder to remove.
 */
export async function listen(path: string, services: Services): Promise<RpcServer> {
  checkSocketPath(path);
  const connections = new Set<Connection>();
  const joint: Joint = { ...services, largeLines: new LargeLines(LIMITS.longLines) };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accept(socket, connections, joint);
  });
  await bind(server, path);
  // EMFILE and the like: that client goes without, the socket goes on.
  server.on('error', (error) => {
    services.log.error('the socket failed', { err: error });
  });
  const ping = setInterval(() => {
    for (const connection of connections) connection.ping();
  }, LIMITS.pingEveryMs);
  ping.unref();
  return {
    connections: () => connections.size,
    [Symbol.asyncDispose]: async () => {
      clearInterval(ping);
      await close(server, connections);
    },
  };
}

function accept(socket: Socket, connections: Set<Connection>, services: Joint): void {
  if (connections.size >= LIMITS.connections) {
    const fault = new Fault('busy', `this Pod has ${LIMITS.connections} connections, its limit`);
    socket.on('error', () => undefined);
    socket.end(encodeLine({ jsonrpc: '2.0', id: null, error: toRpcError(fault) }), () => {
      socket.destroy();
    });
    return;
  }
  const connection = new Connection(socket, services);
  connections.add(connection);
  socket.on('close', () => {
    connections.delete(connection);
  });
}

/** Throws `cannot_create` for a path that Node would cut without a word, so that it binds another file. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > LIMITS.socketPathBytes)
    throw new Fault(
      'cannot_create',
      `the socket path ${path} has ${bytes} bytes, the kernel takes ${LIMITS.socketPathBytes}: set PODD_RUNTIME_DIR to a shorter folder`,
    );
}

// Bound beside it and renamed: the path never shows a socket that does not serve yet or has the wrong mode. And Node,
// which removes what it bound when it closes, leaves the path to the owner of its folder.
async function bind(server: Server, path: string): Promise<void> {
  await refuseLive(path);
  const beside = `${path.slice(0, -1)}~`;
  try {
    await rm(beside, { force: true });
    await tryBind(server, beside);
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch (cause) {
    throw new Fault('cannot_create', `cannot create the socket ${path}`, { cause });
  }
}

/** Throws `taken` when somebody serves there: before anything beside it is touched. */
export async function refuseLive(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new Fault('cannot_create', `${path} is no socket: move it away`);
  if (await answers(path)) throw new Fault('taken', `a live process serves ${path}: stop it first`);
}

async function tryBind(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Not answering in time is no proof of death, so only a refused connect counts as one. */
async function answers(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    const timer = setTimeout(() => {
      settle(true);
    }, LIMITS.socketProbeMs);
    const settle = (alive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

// Answers under way are let out; whoever does not take them in time is cut off.
async function close(server: Server, connections: ReadonlySet<Connection>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  for (const connection of connections) connection.close();
  const timer = setTimeout(() => {
    for (const connection of connections) connection.destroy();
  }, LIMITS.closeStepMs);
  await closed;
  clearTimeout(timer);
}
