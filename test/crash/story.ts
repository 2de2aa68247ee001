import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TempPod } from '../support/temp-pod.ts';

/** What the model of a crash test plays, and what its workspace holds before and after. */
export type Story = {
  readonly input: string;
  readonly script: string;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  /** For each effect: the call without which it can't be there, and whether it is, by the files. */
  readonly effects: readonly {
    readonly call: string;
    readonly isDone: (files: Readonly<Record<string, string>>) => boolean;
  }[];
};

/**
 * Reads, edits an existing file, then reads one file and writes another into a new folder at once. Each step follows
 * from what the model heard last, not from how often it was asked, so that a resumed model looks first and goes on
 * from what it sees. An edit that ran twice would leave two marks.
 */
export const STORY: Story = {
  input: 'go',
  script: `
loop = true
[[steps]]
when = '^(go|interrupted)'
tool_calls = [{ name = "Read", arguments = { file_path = "{{cwd}}/a.txt" } }]
[[steps]]
when = '^Read \\S+/a.txt[^M]*\\tend$'
text = "the mark is missing"
tool_calls = [{ name = "Edit", arguments = { file_path = "{{cwd}}/a.txt", old_string = "end", new_string = "MARK\\nend" } }]
[[steps]]
when = '^Read \\S+/a.txt[\\s\\S]*\\tMARK\\n'
tool_calls = [{ name = "Read", arguments = { file_path = "{{cwd}}/sub/new.txt" } }]
[[steps]]
when = '^(Edited \\S+/a.txt|\\S+/sub/new.txt does not exist)'
tool_calls = [
  { name = "Read", arguments = { file_path = "{{cwd}}/b.txt" } },
  { name = "Write", arguments = { file_path = "{{cwd}}/sub/new.txt", content = "fresh\\n" } },
]
[[steps]]
when = '^(Created|Read) \\S+/sub/new.txt'
text = "all is done"
`,
  before: { 'a.txt': 'alpha\nend\n', 'b.txt': 'beta\n' },
  after: { 'a.txt': 'alpha\nMARK\nend\n', 'b.txt': 'beta\n', 'sub/new.txt': 'fresh\n' },
  effects: [
    { call: 'Edit', isDone: (files) => (files['a.txt'] ?? '').includes('MARK') },
    { call: 'Write', isDone: (files) => files['sub/new.txt'] !== undefined },
  ],
};

/** Every file of the workspace with its text, temporary ones aside: a kill may leave one of those. */
export function readWorkspace(pod: TempPod): Record<string, string> {
  return Object.fromEntries(
    listFiles(pod)
      .filter((name) => !isTemporary(name))
      .map((name) => [name, readFileSync(join(pod.workspace, name), 'utf8')]),
  );
}

/** The temporary files that a replacement left in the workspace. */
export function listTemporaries(pod: TempPod): string[] {
  return listFiles(pod).filter(isTemporary);
}

/** What a start that died half-way left of the daemon's own, and no later one took away. */
export function listLeftovers(pod: TempPod): string[] {
  const runtime = existsSync(dirname(pod.socket)) ? [dirname(pod.socket)] : [];
  const drafts = readdirSync(pod.state, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.new-|\.tmp$/.test(name),
  );
  return [...runtime, ...drafts];
}

export function writeWorkspace(pod: TempPod, files: Readonly<Record<string, string>>): void {
  mkdirSync(pod.workspace, { recursive: true });
  for (const [name, text] of Object.entries(files)) pod.file(name, text);
}

function listFiles(pod: TempPod): string[] {
  return readdirSync(pod.workspace, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(pod.workspace, name)).isFile())
    .sort();
}

function isTemporary(name: string): boolean {
  return /(^|\/)\.podd-/.test(name);
}
