import type { Item } from '../../protocol/items.ts';
import { parsePrefixAnswer } from '../core/file-list.ts';
import { PrunedItems } from '../core/pruned-items.ts';
import type { CompactionJob, CompactorPorts, Paid } from './compaction-job.ts';
import { NUDGE_PREFIX, prefixMessage, rejected } from './instructions.ts';
import { MarkedFiles } from './marked-files.ts';
import { readInTime } from './read-in-time.ts';
import { ScratchJournal } from './scratch-journal.ts';
import { runScratch, type ScratchRules } from './scratch-run.ts';
import { type Drafted, toFailure, type Writer } from './writer.ts';

/**
 * The session's own conversation summarises itself: its request is the last one's with one message more, so that the provider
 * has nearly all of it in its cache (COMP-16). Tools are listed as before, and none runs.
 */
export class PrefixCompactor implements Writer {
  readonly #ports: CompactorPorts;
  readonly #job: CompactionJob;
  readonly #journal: ScratchJournal;
  readonly #rules: ScratchRules;
  #wasNudged = false;

  constructor(ports: CompactorPorts, job: CompactionJob, paid: Paid) {
    const { session, settings, instructions } = job;
    this.#ports = ports;
    this.#job = job;
    const at = ports.clock.now();
    const history = [...new PrunedItems().of(session.items, session.pruneMark)];
    this.#journal = new ScratchJournal({ systemPrompt: session.systemPrompt, history, at }, paid);
    this.#journal.say(prefixMessage(instructions, settings.autoReadBudget), at);
    this.#rules = {
      model: ports.model,
      tools: { ...ports.tools, find: () => undefined },
      check: () => 'send',
      isDone: () => false,
    };
  }

  async draft(signal: AbortSignal): Promise<Drafted> {
    for (;;) {
      const said = this.#journal.session().items.length;
      const end = await runScratch(this.#ports, this.#journal, this.#rules, 1, signal);
      if (end.kind === 'failed' || end.kind === 'cancelled') return toFailure(end, signal);
      const answer = textOf(this.#journal.session().items.slice(said));
      const { summary, reads, references } = parsePrefixAnswer(answer);
      // One that was cut off, or refused, is not whole.
      const isWhole = end.kind === 'finished' && end.stopReason === 'end';
      if (isWhole && summary.trim() !== '') {
        const { autoReadBudget } = this.#job.settings;
        const files = new MarkedFiles(this.#ports.files, readInTime(this.#ports), autoReadBudget);
        for (const { path, ...range } of reads) {
          const marked = await files.mark(path, range, signal);
          if (!marked.ok)
            this.#ports.log.info('a file of the summary is left out', { path, why: marked.error });
        }
        // Only what the Pod could read again is named.
        for (const path of references) if (await files.canRead(path, signal)) files.refer(path);
        return { kind: 'drafted', summary, files };
      }
      if (this.#wasNudged)
        return { kind: 'failed', cause: 'summary_missing', says: 'the model wrote no summary' };
      this.#wasNudged = true;
      this.#say(NUDGE_PREFIX);
    }
  }

  async redraft(problems: readonly string[], signal: AbortSignal): Promise<Drafted> {
    this.#wasNudged = true;
    this.#say(rejected(problems, 'text'));
    return await this.draft(signal);
  }

  #say(text: string): void {
    this.#journal.say(text, this.#ports.clock.now());
  }
}

function textOf(items: readonly Item[]): string {
  return items
    .flatMap((item) => (item.type === 'message' && item.role === 'assistant' ? item.content : []))
    .map((part) => (part.type === 'text' ? part.text : part.refusal))
    .join('');
}
