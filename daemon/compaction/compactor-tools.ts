import * as v from 'valibot';
import type { Result } from '../core/result.ts';
import type { Tool, ToolOutcome } from '../ports/tool.ts';
import type { MarkedFiles } from './marked-files.ts';

/** What the compactor has written, and which files it wants to go along. */
export type Draft = { summary: string | null; readonly files: MarkedFiles };

const FilePath = v.pipe(
  v.string(),
  v.startsWith('/', 'must be an absolute path, one that starts with /'),
  v.maxLength(4096),
  v.description('Absolute path of the file.'),
);

const MarkArgs = v.strictObject({
  file_path: FilePath,
  offset: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Lines to skip, from 0.')),
  ),
  limit: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Lines to keep.')),
  ),
});
const ReferenceArgs = v.strictObject({ file_path: FilePath });
const SummaryArgs = v.strictObject({
  text: v.pipe(v.string(), v.description('The whole summary, with its five sections.')),
});

/** The four tools of COMP-3. `readTool` shows files to it as to any model. */
export function compactorTools(draft: Draft, readTool: Tool): readonly Tool[] {
  const read: Tool = {
    ...readTool,
    name: 'read_file',
    description:
      'Reads a text file, or some lines of it, to see whether the agent will need it. Nothing of it is kept by that.',
    // Neither is it a Read of the agent's.
    run: async (args, ports, signal) => {
      const { files: _touched, ...outcome } = await readTool.run(args, ports, signal);
      return outcome;
    },
  };
  const mark: Tool<typeof MarkArgs> = {
    name: 'mark_read_required',
    description:
      'Marks a file, or some lines of it, whose text the agent needs to go on: it is put behind the summary as it is then. Costs tokens of a budget; the answer says what remains.',
    schema: MarkArgs,
    effect: 'none',
    accesses: (args) => [{ path: args.file_path, need: 'read' }],
    run: async (args, _ports, signal) => {
      const { file_path, offset, limit } = args;
      return toOutcome(await draft.files.mark(file_path, { offset, limit }, signal));
    },
  };
  const refer: Tool<typeof ReferenceArgs> = {
    name: 'add_reference',
    description:
      'Adds a file to the list of those that the agent may want to read again. Costs next to nothing.',
    schema: ReferenceArgs,
    effect: 'none',
    accesses: (args) => [{ path: args.file_path, need: 'read' }],
    run: ({ file_path }) => Promise.resolve(toOutcome(draft.files.refer(file_path))),
  };
  const write: Tool<typeof SummaryArgs> = {
    name: 'write_summary',
    description: 'Hands in the summary. Call it once, last; a later call replaces an earlier one.',
    schema: SummaryArgs,
    effect: 'none',
    accesses: () => [],
    run: ({ text }) => {
      if (text.trim() === '')
        return Promise.resolve({ summary: 'the summary is empty', isError: true });
      draft.summary = text;
      return Promise.resolve({ summary: 'taken' });
    },
  };
  return [read, mark, refer, write] as readonly Tool[];
}

function toOutcome(result: Result<string, string>): ToolOutcome {
  return result.ok ? { summary: result.value } : { summary: result.error, isError: true };
}
