import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ScopeRules } from '../../protocol/scope.ts';
import { buildScopeView } from '../../daemon/app/build-scope.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { openFiles } from '../../daemon/files/open-files.ts';
import { type AgentsMd, readAgentsMd } from '../../daemon/prompt/agents-md.ts';
import { tempFolder } from '../support/temp-folder.ts';

function read(cwd: string, rules?: ScopeRules): Promise<AgentsMd> {
  const whole: ScopeRules = {
    allow: [{ target: cwd, permission: 'read', recursive: true }],
    deny: [],
  };
  const own = rules ?? whole;
  const scope = buildScopeView(
    {
      own: () => own,
      delegated: () => ({ allow: [], deny: [] }),
      parent: () => null,
      children: () => [],
      fence: () => Promise.resolve('held'),
    },
    { closed: [], readOnly: [], kept: [] },
  );
  return readAgentsMd(openFiles(scope, 0o022), cwd, new AbortController().signal);
}

test('AGENTS-1: the file in the working directory is read, one above it is not, and none is nothing', async () => {
  await using folder = await tempFolder();
  const cwd = join(folder.path, 'deep');
  await mkdir(cwd);
  await writeFile(join(folder.path, 'AGENTS.md'), 'above');
  expect(await read(cwd)).toEqual({ text: null, warnings: [] });
  await writeFile(join(cwd, 'AGENTS.md'), 'use tabs\n');
  expect(await read(cwd)).toEqual({ text: 'use tabs\n', warnings: [] });
});

test('AGENTS-1: it is read as the agent could: what its scope denies, or a link out of it, is skipped with a warning', async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, 'ws/AGENTS.md');
  await mkdir(join(folder.path, 'ws'));
  await writeFile(join(folder.path, 'secret'), 'secret');
  await symlink('../secret', path);
  const cwd = join(folder.path, 'ws');
  const skipped = await read(cwd);
  expect(skipped.text).toBeNull();
  expect(skipped.warnings).toHaveLength(1);
  expect(skipped.warnings[0]).toContain(`${path} is left out of the prompt`);
  const other = join(folder.path, 'denied');
  await mkdir(other);
  await writeFile(join(other, 'AGENTS.md'), 'x');
  const denied = await read(other, {
    allow: [{ target: other, permission: 'write', recursive: true }],
    deny: [{ target: join(other, 'AGENTS.md'), permission: 'read', recursive: true }],
  });
  expect(denied.text).toBeNull();
  expect(denied.warnings[0]).toContain('is left out of the prompt');
});

test('AGENTS-1: it is cut at a character, with a mark and a warning', async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, 'AGENTS.md');
  await writeFile(path, 'x'.repeat(LIMITS.agentsMdBytes));
  expect((await read(folder.path)).warnings).toEqual([]);
  await writeFile(path, `${'x'.repeat(LIMITS.agentsMdBytes - 1)}€ and more`);
  const { text, warnings } = await read(folder.path);
  expect(warnings).toEqual([`${path} is cut to ${LIMITS.agentsMdBytes} bytes`]);
  const [kept, mark] = (text ?? '').split('\n');
  expect(kept).toBe('x'.repeat(LIMITS.agentsMdBytes - 1));
  expect(mark).toBe(`[AGENTS.md is cut here: it has more than ${LIMITS.agentsMdBytes} bytes]`);
});

test('AGENTS-1: what is no text is skipped with a warning, and a FIFO is not waited on', async () => {
  for (const make of [
    (path: string) => writeFile(path, Buffer.from([0x61, 0xe4])),
    (path: string) => promisify(execFile)('mkfifo', [path]),
    (path: string) => mkdir(path),
  ]) {
    await using folder = await tempFolder();
    await make(join(folder.path, 'AGENTS.md'));
    const { text, warnings } = await read(folder.path);
    expect(text).toBeNull();
    expect(warnings).toHaveLength(1);
  }
});
