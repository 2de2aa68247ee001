import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import web from 'undici/lib/web/fetch/index.js';

/**
 * What of undici podd uses. Its main module loads twice as much: WebSocket, caches, mocks. Only imported dynamically, at
 * the first request. The version is pinned, and the tests go through both.
 */
export { EnvHttpProxyAgent };
export const { fetch } = web;
