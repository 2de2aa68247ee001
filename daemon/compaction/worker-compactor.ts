import { conversationText } from '../core/conversation-text.ts';
import { LIMITS } from '../core/limits.ts';
import type { CompactionJob, CompactorPorts, Paid } from './compaction-job.ts';
import { compactorTools, type Draft } from './compactor-tools.ts';
import {
  COMPACTOR_PROMPT,
  conversationMessage,
  NUDGE_CAP,
  NUDGE_FILES,
  NUDGE_SUMMARY,
  rejected,
} from './instructions.ts';
import { MarkedFiles } from './marked-files.ts';
import { readInTime } from './read-in-time.ts';
import { ScratchJournal } from './scratch-journal.ts';
import { runScratch, type ScratchRules } from './scratch-run.ts';
import { type Drafted, toFailure, type Writer } from './writer.ts';

/** Of the most that the compactor may be sent, this share is for the conversation; the rest is for files and what it says. */
const CONVERSATION_SHARE = 0.6;
const BYTES_PER_TOKEN = 4;
const SAMPLING = { temperature: 0, maxTokens: 4096 } as const;
/** Of those that were touched last. */
const CANDIDATES = 5;

/** A throw-away conversation with four tools of its own (COMP-3, 4, 5, 15). */
export class WorkerCompactor implements Writer {
  readonly #ports: CompactorPorts;
  readonly #job: CompactionJob;
  readonly #journal: ScratchJournal;
  readonly #draft: Draft;
  readonly #candidates: readonly string[];
  #rules: ScratchRules | null = null;
  #turns = 0;
  /** It was told that it has read enough; requests since. */
  #sinceTold: number | null = null;
  #isOverCap = false;
  /** The draft's summary when the conversation was last gone on with. */
  #before: string | null = null;
  #isAskedForFiles = false;
  #wasNudged = false;

  constructor(ports: CompactorPorts, job: CompactionJob, paid: Paid) {
    const { settings, session, cut, instructions } = job;
    this.#ports = ports;
    this.#job = job;
    this.#draft = {
      summary: null,
      files: new MarkedFiles(ports.files, readInTime(ports), settings.autoReadBudget),
    };
    const at = ports.clock.now();
    this.#journal = new ScratchJournal({ systemPrompt: COMPACTOR_PROMPT, history: [], at }, paid);
    this.#candidates = session.tracker.recent(CANDIDATES);
    const room = settings.workerMaxInputTokens * CONVERSATION_SHARE * BYTES_PER_TOKEN;
    const { text } = conversationText(session.items.slice(0, cut), Math.floor(room));
    const budget = settings.autoReadBudget;
    const candidates = this.#candidates;
    this.#journal.say(
      conversationMessage({ candidates, conversation: text, instructions, budget }),
      at,
    );
  }

  async draft(signal: AbortSignal): Promise<Drafted> {
    const failure = await this.#goOn(signal);
    if (failure !== null) return failure;
    if (this.#draft.summary === null) return { kind: 'failed', ...SUMMARY_MISSING };
    const { summary, files } = this.#draft;
    return { kind: 'drafted', summary, files };
  }

  async redraft(problems: readonly string[], signal: AbortSignal): Promise<Drafted> {
    this.#draft.files.clear();
    this.#say(rejected(problems, 'tool'));
    this.#draft.summary = null;
    this.#wasNudged = true;
    return await this.draft(signal);
  }

  async #goOn(signal: AbortSignal): Promise<Drafted | null> {
    for (;;) {
      const left = LIMITS.compactorTurns - this.#turns;
      this.#before = this.#draft.summary;
      const end = await runScratch(this.#ports, this.#journal, await this.#rulesOf(), left, signal);
      this.#turns += end.tally.turns;
      switch (end.kind) {
        case 'yielded':
          if (this.#isOverCap) return { kind: 'failed', ...INPUT_CAP };
          this.#sinceTold = 0;
          this.#say(NUDGE_CAP);
          continue;
        case 'limitReached':
          // What it has handed in by then counts.
          return this.#draft.summary === null ? { kind: 'failed', ...TOO_MANY_TURNS } : null;
        case 'failed':
        case 'cancelled':
          return toFailure(end, signal);
        case 'finished':
        case 'paused': {
          const nudge = this.#nudge();
          if (nudge === null) return null;
          this.#wasNudged = true;
          this.#isAskedForFiles = nudge === NUDGE_FILES;
          this.#say(nudge);
        }
      }
    }
  }

  /** At most one in a conversation. */
  #nudge(): string | null {
    if (this.#wasNudged) return null;
    if (this.#draft.summary === null) return NUDGE_SUMMARY;
    const isOffered = this.#candidates.length > 0 && this.#job.settings.autoReadBudget > 0;
    return isOffered && this.#draft.files.isEmpty() ? NUDGE_FILES : null;
  }

  #say(text: string): void {
    this.#journal.say(text, this.#ports.clock.now());
  }

  async #rulesOf(): Promise<ScratchRules> {
    this.#rules ??= {
      model: this.#ports.compactorModel ?? this.#ports.model,
      tools: await this.#ports.toToolBox(compactorTools(this.#draft, this.#ports.readTool)),
      sampling: SAMPLING,
      check: ({ tokens }) => this.#check(tokens),
      // The answer to the summary would only cost.
      isDone: () =>
        !this.#isAskedForFiles &&
        this.#draft.summary !== null &&
        this.#draft.summary !== this.#before,
    };
    return this.#rules;
  }

  #check(tokens: number): 'send' | 'yield' {
    if (this.#sinceTold !== null) {
      this.#sinceTold += 1;
      this.#isOverCap = this.#sinceTold > 1;
      return this.#isOverCap ? 'yield' : 'send';
    }
    return tokens > this.#job.settings.workerMaxInputTokens ? 'yield' : 'send';
  }
}

const SUMMARY_MISSING = {
  cause: 'summary_missing',
  says: 'the compactor handed in no summary',
} as const;
const INPUT_CAP = {
  cause: 'input_cap',
  says: 'the compactor read more than compaction.compact_worker_max_input_tokens, and wrote no summary when it was told to',
} as const;
const TOO_MANY_TURNS = {
  cause: 'deadline',
  says: `the compactor handed in no summary within ${LIMITS.compactorTurns} requests`,
} as const;
