import { readFile, writeFile } from 'node:fs/promises';

const BEGIN = '<!-- bench: begin -->';
const END = '<!-- bench: end -->';

/** Puts a new table in the place of the one between the two marks. */
export async function writeTable(page: string, table: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${page} has no place for the table: ${BEGIN}`);
  const before = text.slice(0, begin + BEGIN.length);
  await writeFile(page, `${before}\n${table}\n${text.slice(end)}`);
}
