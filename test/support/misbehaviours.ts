import type { Conduct } from './play-conduct.ts';

/** One way in which a model server is known to misbehave, and what comes of it. The page for operators has the same rows. */
export type Misbehaviour = {
  /** What the server does, as the page calls it. */
  readonly server: string;
  readonly conduct: Conduct;
  /** `passes`: the request is sent again. `fails`: the run fails at once. `counts`: it is an answer all the same. */
  readonly then: 'passes' | 'fails' | 'counts';
  /** Of the retry, or of the failure. */
  readonly reason?: string;
  readonly status?: number;
  /** Something of an answer had come, and is told as discarded. */
  readonly discards?: true;
};

const refusal = (status: number, type: string, message = 'No.'): Conduct => ({
  kind: 'status',
  status,
  type,
  message,
});

const AFTERWARDS = {
  stalls: 'keeps the connection open behind a whole answer',
  pings: 'goes on with pings behind a whole answer',
  resets: 'resets the connection behind a whole answer',
};

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {
    server: 'takes the request and says nothing',
    conduct: { kind: 'silent' },
    then: 'passes',
    reason: 'first_event_timeout',
  },
  {
    server: 'stalls in the answer',
    conduct: { kind: 'begins', then: 'stalls' },
    then: 'passes',
    reason: 'idle_timeout',
    discards: true,
  },
  {
    server: 'sends nothing but pings in the answer',
    conduct: { kind: 'begins', then: 'pings' },
    then: 'passes',
    reason: 'events_timeout',
    discards: true,
  },
  {
    server: 'resets the connection in the answer',
    conduct: { kind: 'begins', then: 'resets' },
    then: 'passes',
    reason: 'connection',
    discards: true,
  },
  {
    server: 'ends the answer in the middle',
    conduct: { kind: 'begins', then: 'ends' },
    then: 'passes',
    reason: 'no_terminal_event',
    discards: true,
  },
  {
    server: 'ends a whole answer without saying so',
    conduct: { kind: 'begins', then: 'stops_untold' },
    then: 'passes',
    reason: 'no_terminal_event',
    discards: true,
  },
  ...(['stalls', 'pings', 'resets'] as const).map(
    (afterwards): Misbehaviour => ({
      server: AFTERWARDS[afterwards],
      conduct: { kind: 'answer', blocks: [{ text: 'whole' }], afterwards },
      then: 'counts',
    }),
  ),
  {
    server: 'sends an error event in the answer',
    conduct: { kind: 'begins', then: 'errs' },
    then: 'passes',
    status: 529,
    discards: true,
  },
  {
    server: 'sends `billing_error` in the answer',
    conduct: { kind: 'errs', data: '{"error":{"type":"billing_error","message":"No."}}' },
    then: 'fails',
    status: 402,
  },
  {
    server: 'sends an error event of a type that is not known',
    conduct: { kind: 'errs', data: '{"error":{"type":"weather_error","message":"Rain."}}' },
    then: 'passes',
    reason: 'error_event',
  },
  {
    server: 'sends what is no JSON',
    conduct: { kind: 'begins', then: 'garbage' },
    then: 'passes',
    reason: 'malformed',
    discards: true,
  },
  {
    server: 'answers with nothing in it',
    conduct: { kind: 'answer', blocks: [] },
    then: 'passes',
    reason: 'empty_answer',
  },
  {
    server: 'answers with nothing but blanks',
    conduct: { kind: 'answer', blocks: [{ text: ' \n' }] },
    then: 'passes',
    reason: 'empty_answer',
    discards: true,
  },
  {
    server: 'answers with 429 and `retry-after`',
    conduct: { ...refusal(429, 'rate_limit_error'), headers: { 'retry-after': '0.2' } } as Conduct,
    then: 'passes',
    status: 429,
  },
  {
    server: 'asks for a wait of more than five minutes',
    conduct: { ...refusal(429, 'rate_limit_error'), headers: { 'retry-after': '301' } } as Conduct,
    then: 'fails',
    status: 429,
  },
  {
    server: 'answers with 529',
    conduct: refusal(529, 'overloaded_error'),
    then: 'passes',
    status: 529,
  },
  {
    server: 'answers with 502 and a page of its proxy',
    conduct: { kind: 'page', status: 502 },
    then: 'passes',
    status: 502,
  },
  {
    server: 'answers with a web page',
    conduct: { kind: 'page', status: 200 },
    then: 'fails',
    reason: 'malformed',
  },
  {
    server: 'sends the request elsewhere',
    conduct: { kind: 'page', status: 307, headers: { location: 'http://127.0.0.1:9/v1/messages' } },
    then: 'fails',
    status: 307,
  },
  {
    server: 'answers with 400',
    conduct: refusal(400, 'invalid_request_error'),
    then: 'fails',
    status: 400,
  },
  {
    server: 'answers with 401',
    conduct: refusal(401, 'authentication_error'),
    then: 'fails',
    status: 401,
  },
  {
    server: 'refuses with 401 and does not end its text',
    conduct: { ...refusal(401, 'authentication_error'), then: 'stalls' } as Conduct,
    then: 'fails',
    status: 401,
  },
  {
    server: 'sends a line that does not end',
    conduct: { kind: 'begins', then: 'endless_line' },
    then: 'fails',
    reason: 'too_large',
  },
  {
    server: 'answers with 413',
    conduct: refusal(413, 'request_too_large'),
    then: 'fails',
    reason: 'prompt_too_long',
    status: 413,
  },
  {
    server: 'says that the prompt is too long',
    conduct: refusal(400, 'invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum'),
    then: 'fails',
    reason: 'prompt_too_long',
    status: 400,
  },
];
