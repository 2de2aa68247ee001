import * as v from 'valibot';
import { renderEdit } from '../core/edit-diff.ts';
import { LIMITS } from '../core/limits.ts';
import { applyEdit } from '../core/text-edit.ts';
import type { EditRefusal, EditedText } from '../core/text-edit.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import type { Tool } from '../ports/tool.ts';
import { FilePath } from './arguments.ts';
import { hashOf, readKnown } from './known-content.ts';
import { failed, plural } from './outcomes.ts';

const Schema = v.strictObject({
  file_path: FilePath,
  old_string: v.pipe(
    v.string(),
    v.description(
      'The text to replace, exactly as it stands in the file, without the line numbers that Read shows. ' +
        'It has to stand there once: take in lines around it until it does, or set replace_all.',
    ),
  ),
  new_string: v.pipe(v.string(), v.description('The text to put in its place; may be empty.')),
  replace_all: v.optional(
    v.pipe(v.boolean(), v.description('Replace every occurrence. Default false.')),
    false,
  ),
});

export const editTool: Tool<typeof Schema> = {
  name: 'Edit',
  description:
    'Replaces text in a UTF-8 file that was read before, and shows what changed. Line endings are kept: ' +
    'write old_string and new_string with plain line feeds.',
  schema: Schema,
  effect: 'files',
  accesses: (args) => [{ path: args.file_path, need: 'write' }],
  run: async (args, { files, knownHash, intend }, signal) => {
    const asked = args.file_path;
    const unfit = refuseArguments(args);
    if (unfit !== null) return failed(unfit);
    const opened = await files.openForWrite(asked, signal);
    if (!opened.ok) return failed(opened.error.says);
    await using target = opened.value;
    if (target.existing === null) return failed(`${asked} does not exist: Write can create it`);
    const known = await readKnown(target.existing, { asked, knownHash }, signal);
    if (!known.ok) return failed(known.error);
    const text = decodeUtf8(known.value.bytes);
    if (text === null) return failed(`${asked} is not UTF-8 text, so Edit can't change it`);

    const edited = applyEdit(
      text,
      {
        oldText: args.old_string,
        newText: args.new_string,
        occurrences: args.replace_all ? 'all' : 'one',
      },
      { matches: LIMITS.editMatches, textUnits: LIMITS.editableFileBytes },
    );
    if (!edited.ok) return failed(describeRefusal(edited.error, asked));
    const bytes = Buffer.from(edited.value.text, 'utf8');
    if (bytes.length > LIMITS.editableFileBytes)
      return failed(describeRefusal({ kind: 'too_large' }, asked));
    const hash = hashOf(bytes);
    await intend({ kind: 'write_file', path: target.path, hash, before: known.value.hash });
    const replaced = await target.replace(bytes, signal);
    if (!replaced.ok) return failed(replaced.error.says);
    return {
      summary: `Edited ${asked}: ${describePlaces(edited.value)}`,
      content: renderEdit(text, edited.value, {
        hunks: LIMITS.diffHunks,
        hunkLines: LIMITS.diffHunkLines,
        lineUnits: LIMITS.diffLineUnits,
        contextLines: CONTEXT_LINES,
      }),
      files: [{ path: target.path, hash, op: 'write' }],
    };
  },
};

const CONTEXT_LINES = 3;
const LINES_TOLD = 10;

// What can be refused without the file is refused before it is opened.
function refuseArguments(args: v.InferOutput<typeof Schema>): string | null {
  if (args.old_string === '') return describeRefusal({ kind: 'empty' }, args.file_path);
  if (args.old_string === args.new_string) return describeRefusal({ kind: 'same' }, args.file_path);
  if (!args.old_string.isWellFormed() || !args.new_string.isWellFormed())
    return 'old_string or new_string has half of a surrogate pair, which no UTF-8 file can hold';
  return null;
}

function describeRefusal(refusal: EditRefusal, asked: string): string {
  switch (refusal.kind) {
    case 'empty':
      return 'old_string is empty: to create or replace a whole file use Write';
    case 'same':
      return 'nothing would change: old_string and new_string are the same';
    case 'missing':
      return `old_string is not in ${asked}: it has to match exactly, white space included; Read shows the text as it is`;
    case 'ambiguous':
      return (
        `old_string stands at ${refusal.count} places in ${asked} (${describeLines(refusal.lines, refusal.count)}): ` +
        'take in lines around it until it is unique, or set replace_all'
      );
    case 'too_many':
      return `old_string stands at more than ${LIMITS.editMatches} places in ${asked}: that is too many for one edit`;
    case 'too_large':
      return `${asked} would become larger than ${LIMITS.editableFileBytes} bytes`;
  }
}

function describePlaces({ replaced }: EditedText): string {
  const lines = replaced.slice(0, LINES_TOLD).map(({ after }) => after.line);
  const where = describeLines(lines, replaced.length);
  return `${plural(replaced.length, 'replacement')} (${where})`;
}

function describeLines(lines: readonly number[], count: number): string {
  const more = count > lines.length ? ', …' : '';
  return `${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}${more}`;
}
