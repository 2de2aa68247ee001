import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import { runId, sessionId } from '../../daemon/core/ids.ts';
import type { Journal } from '../../daemon/ports/journal.ts';
import type { Log } from '../../daemon/ports/log.ts';
import { encodeEntry } from '../../daemon/session/codec.ts';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { Closing } from '../../daemon/support/closing.ts';
import type { Bench, Reading } from './figure.ts';
import { median } from './median.ts';

const SESSION = sessionId('0190aaaa-0000-7000-8000-000000000001');
const RUN = runId('run-1');
const AT = 1_700_000_000_000;
/** Of each, before it counts. */
const WARM_APPENDS = 50;
const SENTENCE = 'A model says what it found, and what it will do next. ';

const nothing = (): void => undefined;
const SILENT: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};

/** SPEED-7: an answer of a model, as podd stores it, against the same bytes put into LevelDB. */
export async function measureAppend({ quick, signal }: Bench): Promise<readonly Reading[]> {
  await using closing = new Closing();
  const folder = await mkdtemp(join(tmpdir(), 'podd-bench-'));
  closing.use('folder', {
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  });
  const journal = closing.use('journal', await beginSession(join(folder, 'podd')));
  const bare = new Level<string, Uint8Array>(join(folder, 'bare'), { valueEncoding: 'buffer' });
  closing.use('bare store', {
    [Symbol.asyncDispose]: async () => {
      await bare.close();
    },
  });
  await bare.open();
  const podd: number[] = [];
  const puts: number[] = [];
  const samples = quick ? 60 : 600;
  for (let append = 0; append < WARM_APPENDS + samples; append += 1) {
    signal.throwIfAborted();
    const entries = answerEntries(append);
    const bytes = Buffer.concat(entries.map(encodeEntry));
    const put = async (): Promise<number> =>
      await timed(() => bare.put(`entry-${append}`, bytes, { sync: true }));
    const commit = async (): Promise<number> =>
      await timed(() => journal.commit({ session: entries }));
    const isEven = append % 2 === 0;
    const early = isEven ? await put() : await commit();
    const late = isEven ? await commit() : await put();
    if (append < WARM_APPENDS) continue;
    puts.push(isEven ? early : late);
    podd.push(isEven ? late : early);
  }
  return [{ figure: 'append', baseline: median(puts), podd: median(podd), samples }];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

async function beginSession(folder: string): Promise<Journal & AsyncDisposable> {
  const { journal } = await openJournal({
    folder,
    session: { kind: 'new' },
    newSessionId: () => SESSION,
    epochAfter: (last) => Promise.resolve(last + 1),
    bootId: 'bench',
    clock: { now: () => AT },
    publish: nothing,
    log: SILENT,
  });
  await journal.commit({
    session: [
      {
        kind: 'session_start',
        at: AT,
        version: 1,
        sessionId: SESSION,
        systemPrompt: 'be brief',
        config: {
          provider: { kind: 'scripted', model: 'script' },
          tools: ['Read'],
          maxTurns: null,
          scope: { allow: [], deny: [] },
        },
        history: [],
        files: [],
        turnCount: 0,
      },
      { kind: 'run_start', at: AT, runId: RUN, trigger: 'run' },
    ],
    journal: [{ kind: 'session_current', at: AT, sessionId: SESSION }],
  });
  return journal;
}

/** About a kilobyte of text and its usage: the append that every turn has. */
function answerEntries(number: number): SessionEntry[] {
  const text = `${number}: ${SENTENCE.repeat(20)}`;
  return [
    {
      kind: 'assistant_items',
      at: AT,
      items: [{ type: 'message', role: 'assistant', content: [{ type: 'text', text }] }],
    },
    {
      kind: 'llm_usage',
      at: AT,
      record: {
        inputTotal: 10,
        cacheRead: 0,
        cacheWrite: 0,
        output: 5,
        historyLen: number,
        kind: 'run',
      },
    },
  ];
}
