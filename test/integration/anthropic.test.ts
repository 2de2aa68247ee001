import { describe, expect, test, vi } from 'vitest';
import type { Item } from '../../protocol/items.ts';
import { Fault } from '../../daemon/core/fault.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { Model, ModelEvent } from '../../daemon/ports/model.ts';
import { claudeAt } from '../support/claude.ts';
import { FullBacklog } from '../support/full-backlog.ts';
import { user } from '../support/items.ts';
import { type Conduct, ModelServer } from '../support/model-server.ts';
import { poisonEnvironment } from '../support/sdk-environment.ts';
import { deadline, SLOWNESS } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';

const never = new AbortController().signal;
const TOOL = { name: 'Read', description: 'Reads.', parameters: { type: 'object' } };

type Told = { readonly level: string; readonly message: string; readonly fields: unknown };

async function open(
  server: ModelServer,
  timeouts: { readonly firstEventMs?: number; readonly idleMs?: number } = {},
): Promise<{ readonly model: Model; readonly told: Told[] }> {
  const told: Told[] = [];
  const log = (level: string) => (message: string, fields?: unknown) => {
    told.push({ level, message, fields });
  };
  const model = claudeAt(await server.listen(), timeouts, {
    log: {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      fatal: log('fatal'),
    },
  });
  return { model, told };
}

async function ask(
  model: Model,
  items: readonly Item[] = [user('go')],
  signal: AbortSignal = never,
): Promise<{ readonly events: ModelEvent[]; readonly error: unknown }> {
  const events: ModelEvent[] = [];
  try {
    const request = { systemPrompt: 'Be good.', tools: [TOOL], items };
    for await (const event of model.stream(request, signal)) events.push(event);
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

describe('openAnthropicModel', () => {
  test('PROV-1 PROV-2 PROV-10: an answer comes as events, with what its prompt was made of; what is unknown is passed over', async () => {
    await using server = new ModelServer({
      kind: 'answer',
      blocks: [
        { thinking: 'hm', signature: 'sig' },
        { redacted: 'xx' },
        { unknown: 'hologram' },
        { text: 'Hello.' },
        { call: 'c1', name: 'Read', input: { file_path: '/a' } },
      ],
      usage: { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 },
    });
    const { model, told } = await open(server);
    const { events, error } = await ask(model);
    expect(error).toBeNull();
    expect(events).toEqual([
      { kind: 'usage', usage: { inputTotal: 125, cacheRead: 100, cacheWrite: 20, output: 1 } },
      { kind: 'reasoningStarted', block: 0 },
      { kind: 'delta', block: 0, text: 'hm' },
      { kind: 'blockEnded', block: 0, opaque: { kind: 'thinking', signature: 'sig' } },
      { kind: 'reasoningStarted', block: 1 },
      { kind: 'blockEnded', block: 1, opaque: { kind: 'redacted', data: 'xx' } },
      { kind: 'textStarted', block: 3 },
      { kind: 'delta', block: 3, text: 'Hel' },
      { kind: 'delta', block: 3, text: 'lo.' },
      { kind: 'blockEnded', block: 3 },
      { kind: 'callStarted', block: 4, callId: 'c1', name: 'Read' },
      { kind: 'delta', block: 4, text: '{"file_path":"/a"}' },
      { kind: 'blockEnded', block: 4 },
      {
        kind: 'usage',
        usage: { inputTotal: 125, cacheRead: 100, cacheWrite: 20, output: 7 },
      },
      { kind: 'stopped', reason: 'tool_calls' },
    ]);
    expect(told).toMatchObject([{ level: 'debug', fields: { what: 'block hologram' } }]);
    const [asked] = server.asked;
    expect(asked?.headers).toMatchObject({ 'x-api-key': 'sk-ant-test-0123456789' });
    expect(asked?.body).toMatchObject({ model: 'claude-test', max_tokens: 100, stream: true });
  });

  test.each<[string, Conduct, Readonly<Record<string, unknown>>]>([
    [
      'rate limit',
      {
        kind: 'status',
        status: 429,
        type: 'rate_limit_error',
        message: 'Slow down.',
        headers: { 'retry-after': '7' },
      },
      { status: 429, retryable: true, retryAfterMs: 7000 },
    ],
    ...([500, 502, 503, 504, 529, 408, 409] as const).map(
      (status): [string, Conduct, Readonly<Record<string, unknown>>] => [
        `status ${status}`,
        { kind: 'status', status, type: 'api_error', message: 'Slow down.' },
        { status, retryable: true },
      ],
    ),
    ...([400, 401, 403, 404] as const).map(
      (status): [string, Conduct, Readonly<Record<string, unknown>>] => [
        `status ${status}`,
        { kind: 'status', status, type: 'invalid_request_error', message: 'Slow down.' },
        { status, retryable: false },
      ],
    ),
    [
      'a body too large',
      { kind: 'status', status: 413, type: 'request_too_large', message: 'Slow down.' },
      { status: 413, retryable: false, reason: 'prompt_too_long' },
    ],
    [
      'a prompt too long',
      {
        kind: 'status',
        status: 400,
        type: 'invalid_request_error',
        message: 'Slow down. prompt is too long: 210000 tokens > 200000 maximum',
      },
      { status: 400, retryable: false, reason: 'prompt_too_long' },
    ],
  ])('PROV-4 PROV-9: %s, as the server says it', async (_, conduct, data) => {
    await using server = new ModelServer(conduct);
    const { model } = await open(server);
    const { error } = await ask(model);
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: 'provider_error', data });
    expect((error as Fault).message).toContain('Slow down.');
    expect((error as Fault).message).toContain('claude-test');
    // One request: trying again is not the SDK's.
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['ends', { reason: 'no_terminal_event', retryable: true }],
    ['stops_untold', { reason: 'no_terminal_event', retryable: true }],
    ['resets', { reason: 'connection', retryable: true }],
    ['errs', { status: 529, retryable: true }],
    ['garbage', { reason: 'malformed', retryable: true }],
    ['stalls', { reason: 'idle_timeout', retryable: true }],
    ['pings', { reason: 'events_timeout', retryable: true }],
  ] as const)('PROV-9: an answer that begins and then %s is broken', async (then, data) => {
    await using server = new ModelServer({ kind: 'begins', then });
    const { model } = await open(server, { idleMs: 600 });
    const { events, error } = await ask(model);
    expect(events).toContainEqual({ kind: 'delta', block: 0, text: 'so far' });
    expect(events.some(({ kind }) => kind === 'stopped')).toBe(false);
    expect(error).toMatchObject({ code: 'provider_error', data });
    await server.asked[0]?.gone;
  });

  test.each([
    ['stalls', 401, { status: 401, retryable: false }],
    ['stalls', 429, { status: 429, retryable: true, retryAfterMs: 7000 }],
    ['floods', 401, { status: 401, retryable: false }],
    ['floods', 529, { status: 529, retryable: true }],
  ] as const)(
    'INV-12 PROV-4: a refusal whose text %s is its status, here %i, and what has come of its text',
    async (then, status, data) => {
      await using server = new ModelServer({
        kind: 'status',
        status,
        type: 'some_error',
        message: 'Slow down.',
        headers: { 'retry-after': '7', 'request-id': 'req_1' },
        then,
      });
      // The head comes at once; so what the text may take is half of this.
      const { model } = await open(server, { firstEventMs: 1000 * SLOWNESS });
      const { error } = await ask(model);
      expect(error).toMatchObject({
        code: 'provider_error',
        data: { ...data, requestId: 'req_1' },
      });
      expect((error as Fault).message).toContain('Slow down.');
      await server.asked[0]?.gone;
    },
  );

  test('INV-12: no text of a refusal is waited for longer than its limit', async () => {
    await using server = new ModelServer({
      kind: 'status',
      status: 503,
      type: 'api_error',
      message: 'Slow down.',
      then: 'stalls',
    });
    const { model } = await open(server, { firstEventMs: 60_000 });
    const begun = performance.now();
    const { error } = await ask(model);
    expect(error).toMatchObject({ data: { status: 503, retryable: true } });
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(LIMITS.refusalMs - 100);
    expect(took).toBeLessThan(LIMITS.refusalMs + deadline(1500));
  });

  test.each([
    ['endless_line', 'line', LIMITS.responseLineBytes],
    ['endless_pings', 'answer', LIMITS.responseBytes],
  ] as const)(
    'INV-12: an answer that begins and then is an %s is ended at its cap, for good',
    async (then, what, cap) => {
      await using server = new ModelServer({ kind: 'begins', then });
      const { model } = await open(server, { firstEventMs: 60_000, idleMs: 60_000 });
      const { error } = await ask(model);
      expect(error).toMatchObject({
        code: 'provider_error',
        data: { reason: 'too_large', retryable: false },
      });
      expect((error as Fault).message).toContain(`one ${what} of more than ${cap} bytes`);
      await server.asked[0]?.gone;
    },
  );

  test.each<[string, string, Readonly<Record<string, unknown>>, string]>([
    [
      'billing',
      '{"error":{"type":"billing_error","message":"No money."}}',
      { status: 402, retryable: false },
      'claude-test answers with 402: No money.',
    ],
    [
      'permission',
      '{"error":{"type":"permission_error","message":"Not you."}}',
      { status: 403, retryable: false },
      'claude-test answers with 403: Not you.',
    ],
    [
      'a conflict',
      '{"error":{"type":"conflict_error","message":"Once more."}}',
      { status: 409, retryable: true },
      'claude-test answers with 409: Once more.',
    ],
    [
      'a type not known',
      '{"error":{"type":"weather_error","message":"Rain."}}',
      { reason: 'error_event', retryable: true },
      'claude-test ended its answer with weather_error: Rain.',
    ],
    [
      'a type that objects have',
      '{"error":{"type":"constructor","message":"Ha."}}',
      { reason: 'error_event', retryable: true },
      'claude-test ended its answer with constructor: Ha.',
    ],
    [
      'a type that is the key',
      '{"error":{"type":"sk-ant-test-0123456789","message":"Oh."}}',
      { reason: 'error_event', retryable: true },
      'claude-test ended its answer with ***: Oh.',
    ],
    [
      'no type',
      'gone',
      { reason: 'error_event', retryable: true },
      'claude-test ended its answer with an error of no type: "gone"',
    ],
  ])(
    'PROV-9 PROV-4: an error event of %s is an answer, not a connection that failed',
    async (_, event, data, says) => {
      await using server = new ModelServer({ kind: 'errs', data: event });
      const { model } = await open(server);
      const { error } = await ask(model);
      expect(error).toMatchObject({ code: 'provider_error', data, message: says });
    },
  );

  test('PROV-9 PROV-4: a connection that is not made in its time is given up, and may be tried again', async () => {
    await using nobody = await FullBacklog.fill();
    const model = claudeAt(nobody.url, { connectMs: 300, firstEventMs: 60_000 });
    const begun = performance.now();
    const { error } = await ask(model);
    const took = performance.now() - begun;
    expect(error).toMatchObject({ data: { reason: 'connect_timeout', retryable: true } });
    expect((error as Fault).message).toMatch(/the connection failed .*timeout: 300ms/);
    expect(took).toBeGreaterThan(299);
    expect(took).toBeLessThan(300 + deadline(3000));
  });

  test('PROV-7: of what the SDK reads in the environment nothing comes to the server, which gets the key in one header', async () => {
    await using folder = await tempFolder();
    await using clean = new ModelServer({ kind: 'answer', blocks: [{ text: 'Hello.' }] });
    await using server = new ModelServer({ kind: 'answer', blocks: [{ text: 'Hello.' }] });
    const { model: unpoisoned } = await open(clean);
    expect((await ask(unpoisoned)).error).toBeNull();
    await poisonEnvironment(folder.path);
    const printed = vi.spyOn(console, 'debug');
    try {
      const { model } = await open(server);
      expect((await ask(model)).error).toBeNull();
      expect(printed).not.toHaveBeenCalled();
    } finally {
      printed.mockRestore();
      vi.unstubAllEnvs();
    }
    const { host: _, ...headers } = server.asked[0]?.headers ?? {};
    const { host: __, ...expected } = clean.asked[0]?.headers ?? {};
    expect(headers).toEqual(expected);
    const own = Object.keys(headers).filter((name) => !name.startsWith('x-stainless-'));
    expect(own.sort()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'anthropic-version',
      'connection',
      'content-length',
      'content-type',
      'sec-fetch-mode',
      'user-agent',
      'x-api-key',
    ]);
    expect(headers['x-api-key']).toBe('sk-ant-test-0123456789');
  });

  test('PROV-9: the SDK has no limit of its own before that of the first event', async () => {
    await using server = new ModelServer({ kind: 'answer', blocks: [{ text: 'Hello.' }] });
    const firstEventMs = 3_600_000;
    const { model } = await open(server, { firstEventMs });
    expect((await ask(model)).error).toBeNull();
    // It tells its limit to the server, in seconds. Ten minutes is its own.
    const limitMs = 1000 * Number(server.asked[0]?.headers['x-stainless-timeout']);
    expect(limitMs).toBeGreaterThan(firstEventMs);
  });

  test('PROV-9: a server that takes the request and says nothing is given up', async () => {
    await using server = new ModelServer({ kind: 'silent' });
    const { model } = await open(server, { firstEventMs: 200 });
    const { error } = await ask(model);
    expect(error).toMatchObject({ data: { reason: 'first_event_timeout', retryable: true } });
    await server.asked[0]?.gone;
  });

  test('PROV-4: nobody listens there', async () => {
    const server = new ModelServer({ kind: 'silent' });
    const { model } = await open(server);
    await server[Symbol.asyncDispose]();
    const { error } = await ask(model);
    expect(error).toMatchObject({ data: { reason: 'connection', retryable: true } });
    expect((error as Fault).message).toContain('ECONNREFUSED');
  });

  test.each<[string, Conduct]>([
    ['before the answer', { kind: 'silent' }],
    ['in the answer', { kind: 'begins', then: 'stalls' }],
  ])('PROV-5: a cancel %s ends the request within 100 ms', async (_, conduct) => {
    await using server = new ModelServer(conduct);
    const { model } = await open(server);
    // The SDK is there; what is measured is the request.
    const stop = new AbortController();
    const asking = ask(model, [user('go')], stop.signal);
    while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const begun = performance.now();
    const reason = new Error('enough');
    stop.abort(reason);
    expect((await asking).error).toBe(reason);
    const gone = await server.asked[0]?.gone;
    expect((gone ?? Number.POSITIVE_INFINITY) - begun).toBeLessThan(deadline(100));
  });
});
