import * as v from 'valibot';
import { LIMITS } from '../core/limits.ts';
import type { Tool } from '../ports/tool.ts';
import { FilePath } from './arguments.ts';
import { hashOf, readKnown } from './known-content.ts';
import { failed, plural } from './outcomes.ts';

const Schema = v.strictObject({
  file_path: FilePath,
  content: v.pipe(v.string(), v.description('The whole new content of the file.')),
});

export const writeTool: Tool<typeof Schema> = {
  name: 'Write',
  description:
    'Creates a file, with missing folders above it, or replaces the whole content of one. ' +
    'An existing file has to be read with Read first. To change a part of a file use Edit.',
  schema: Schema,
  effect: 'files',
  accesses: (args) => [{ path: args.file_path, need: 'write' }],
  run: async ({ file_path: asked, content }, { files, knownHash, intend }, signal) => {
    if (!content.isWellFormed())
      return failed('content has half of a surrogate pair, which no UTF-8 file can hold');
    const bytes = Buffer.from(content, 'utf8');
    if (bytes.length > LIMITS.editableFileBytes)
      return failed(`content has more than ${LIMITS.editableFileBytes} bytes`);
    const opened = await files.openForWrite(asked, signal);
    if (!opened.ok) return failed(opened.error.says);
    await using target = opened.value;
    let before: string | null = null;
    if (target.existing !== null) {
      const known = await readKnown(target.existing, { asked, knownHash }, signal);
      if (!known.ok) return failed(known.error);
      before = known.value.hash;
    }
    const hash = hashOf(bytes);
    await intend({ kind: 'write_file', path: target.path, hash, before });
    const replaced = await target.replace(bytes, signal);
    if (!replaced.ok) return failed(replaced.error.says);
    return {
      summary: `${before === null ? 'Created' : 'Overwrote'} ${asked} (${plural(bytes.length, 'byte')})`,
      files: [{ path: target.path, hash, op: 'write' }],
    };
  },
};
