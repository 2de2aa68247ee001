import connect from 'undici/lib/api/api-connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import web from 'undici/lib/web/fetch/index.js';

/**
 * What of undici podd uses. Its main module loads twice as much: WebSocket, caches, mocks. Only imported dynamically, at
 * the first request. The version is pinned, and the tests go through all of it. Its main module also gives each
 * dispatcher the methods of its API; of those, a tunnel through a proxy needs one.
 */
Object.assign(Dispatcher.prototype, { connect });
export { EnvHttpProxyAgent };
export const { fetch } = web;
