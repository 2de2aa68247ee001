import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { LIMITS } from '../core/limits.ts';
import { LineReader } from '../core/read-lines.ts';
import type { OpenedFile } from '../ports/files.ts';
import type { Tool, ToolOutcome } from '../ports/tool.ts';
import { FilePath } from './arguments.ts';
import { failed, plural } from './outcomes.ts';

const Schema = v.strictObject({
  file_path: FilePath,
  offset: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.description('Lines to skip before the first one shown, counted from 0. Default 0.'),
    ),
    0,
  ),
  limit: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description(`Lines to show at most. Default ${LIMITS.readLines}.`),
    ),
    LIMITS.readLines,
  ),
});

export const readTool: Tool<typeof Schema> = {
  name: 'Read',
  description:
    'Reads a text file. Each line comes as its number, a tab and its text; number and tab are not part of the file. ' +
    'Long lines are cut, and a long file comes in parts: the last line then says which offset to go on with. ' +
    'A file has to be read before Write or Edit may change it.',
  schema: Schema,
  effect: 'none',
  accesses: (args) => [{ path: args.file_path, need: 'read' }],
  run: async (args, { files }, signal) => {
    const opened = await files.openForRead(args.file_path, signal);
    if (!opened.ok) return failed(opened.error.says);
    await using file = opened.value;
    const lines = new LineReader({
      offset: args.offset,
      limit: args.limit,
      lineUnitsMax: LIMITS.readLineUnits,
      bytesMax: LIMITS.resultContentBytes - NOTES_BYTES,
    });
    const seen = await readInto(lines, file, signal);
    if (seen.kind === 'binary')
      return failed(
        `${args.file_path} is binary (${plural(file.bytes, 'byte')}): Read shows text only`,
      );
    return describe(args, { lines, file, hash: seen.hash });
  },
};

/** Room for the notes after the lines. */
const NOTES_BYTES = 512;
/** How far in a NUL byte tells that a file is not text. */
const BINARY_PROBE_BYTES = 8 * 1024;

/** `hash` is null for a file that is too large to be hashed; of such a one no more is read than is shown. */
type Seen = { readonly kind: 'binary' } | { readonly kind: 'text'; readonly hash: string | null };

async function readInto(lines: LineReader, file: OpenedFile, signal: AbortSignal): Promise<Seen> {
  // Not fatal: bytes that are no UTF-8 come as U+FFFD. A byte order mark is dropped.
  const decoder = new TextDecoder('utf-8');
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of file.chunks(signal)) {
    if (chunk.subarray(0, Math.max(0, BINARY_PROBE_BYTES - bytes)).includes(0))
      return { kind: 'binary' };
    bytes += chunk.length;
    lines.push(decoder.decode(chunk, { stream: true }));
    // It may also have grown since it was opened.
    if (Math.max(bytes, file.bytes) <= LIMITS.editableFileBytes) hash.update(chunk);
    else if (lines.satisfied) break;
  }
  lines.push(decoder.decode());
  lines.end();
  const whole = Math.max(bytes, file.bytes) <= LIMITS.editableFileBytes;
  return { kind: 'text', hash: whole ? hash.digest('hex') : null };
}

function describe(
  args: v.InferOutput<typeof Schema>,
  {
    lines,
    file,
    hash,
  }: { readonly lines: LineReader; readonly file: OpenedFile; readonly hash: string | null },
): ToolOutcome {
  const shown = lines.lines.length;
  const next = args.offset + shown;
  const touched = hash === null ? {} : { files: [{ path: file.path, hash, op: 'read' as const }] };
  if (shown === 0) {
    const why =
      lines.linesSeen === 0
        ? 'the file is empty'
        : `offset ${args.offset} is past the end, the file has ${plural(lines.linesSeen, 'line')}`;
    return { summary: `Read ${args.file_path}: ${why}`, ...touched };
  }
  const notes: string[] = [];
  if (hash === null && lines.satisfied)
    notes.push(`[more may follow; continue with offset=${next}]`);
  else if (lines.linesSeen > next)
    notes.push(`[${plural(lines.linesSeen - next, 'more line')}; continue with offset=${next}]`);
  if (hash === null)
    notes.push(
      `[too large (over ${LIMITS.editableFileBytes} bytes) for Write and Edit: it can only be read]`,
    );
  const total = hash === null ? '' : ` of ${lines.linesSeen}`;
  return {
    summary: `Read ${args.file_path}: lines ${args.offset + 1}-${next}${total}`,
    content: [...lines.lines, ...notes].join('\n'),
    ...touched,
  };
}
