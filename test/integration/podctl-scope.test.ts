import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLIENT_LIMITS } from '../../client/limits.ts';
import { podctl } from '../../client/podctl/program.ts';
import { readOwnIdentity } from '../../daemon/scope/process-identity.ts';
import type { Allocation, RegistryTable } from '../../protocol/registry.ts';
import { type Behaviour, FakePod } from '../support/fake-pod.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { allocationOf, mayWrite, tableOf, writeTable } from '../support/registry-table.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';

type Told = { readonly code: number; readonly out: string; readonly err: string };

/** A registry of its own, and podctl that looks there. */
class Bench implements AsyncDisposable {
  readonly path: string;
  readonly #folder: AsyncDisposable;

  private constructor(folder: AsyncDisposable & { readonly path: string }) {
    this.#folder = folder;
    this.path = join(folder.path, 'registry');
  }

  static async open(table?: RegistryTable | string): Promise<Bench> {
    const bench = new Bench(await tempFolder());
    if (table !== undefined) await writeTable(bench.path, table);
    return bench;
  }

  async podctl(...argv: readonly string[]): Promise<Told> {
    const fake = new FakeShell({ env: { PODD_SCOPE_REGISTRY: this.path }, terminal: false });
    const code = await podctl(argv, fake.shell, '0');
    return { code, out: fake.outText, err: fake.errText };
  }

  async json(...argv: readonly string[]): Promise<unknown> {
    const { code, out, err } = await this.podctl(...argv, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return JSON.parse(out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** The row of a Pod that is this very process. */
async function own(changes: Partial<Allocation> & { readonly pod: string }): Promise<Allocation> {
  return allocationOf({ ...(await readOwnIdentity()), claimedAt: Date.now(), ...changes });
}

/** As a daemon answers `GetStatus`: the fields that are shown, and more. */
function answering(changes: object = {}): Behaviour {
  return (asked, pod) => {
    pod.answer(asked, {
      pod: 'a',
      pid: process.pid,
      state: 'idle',
      turnCount: 5,
      occupancy: { tokens: 900, source: 'measured', limit: 1000, later: 1 },
      uptimeMs: 61_000,
      later: true,
      ...changes,
    });
  };
}

describe('podctl scope', () => {
  test('CLI-2 SCOPE-11: shows each owner with its scope, and which of them are dead', async () => {
    const live = await own({ pod: 'lead', allow: [mayWrite('/w')] });
    const dead = { ...live, pod: 'api', startedAt: 1, delegatedFrom: 'lead' };
    const away = { ...live, pod: 'far', pidNamespace: 'pid:[1]', allow: [mayWrite('/far')] };
    await using bench = await Bench.open(tableOf(live, dead, away));
    const { code, out, err } = await bench.podctl('scope');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`registry ${bench.path} (moved there by PODD_SCOPE_REGISTRY)\n`);
    expect(out).toMatch(/^lead {2}live, pid \d+, epoch 1/m);
    expect(out).toMatch(/^ {2}gave away {2}write \/w to api$/m);
    expect(out).toMatch(/^└─ api {2}dead, pid .+ \(the next podd/m);
    expect(out).toMatch(/^far {2}perhaps live, pid/m);
  });

  test('CLI-2: --json has every row as the registry has it, but no token’s hash', async () => {
    const lead = await own({ pod: 'lead', tokenHash: 'secret', allow: [mayWrite('/w')] });
    const api = { ...lead, pod: 'api', delegatedFrom: 'lead', allow: [mayWrite('/w/api')] };
    await using bench = await Bench.open({ ...tableOf(lead, api), later: 1 });
    const { tokenHash: _, ...row } = lead;
    const given = { pod: 'api', ...mayWrite('/w/api') };
    expect(await bench.json('scope')).toEqual({
      registry: bench.path,
      moved: true,
      rev: 2,
      epoch: 1,
      allocations: [
        { ...row, liveness: 'live', delegated: [given] },
        {
          ...row,
          pod: 'api',
          delegatedFrom: 'lead',
          allow: [mayWrite('/w/api')],
          liveness: 'live',
          delegated: [],
        },
      ],
    });
  });

  test('SCOPE-5: without a registry nobody owns anything, and that is no error', async () => {
    await using bench = await Bench.open();
    const none = { rev: 0, epoch: 0, allocations: [] };
    expect(await bench.json('scope')).toEqual({ registry: bench.path, moved: true, ...none });
    expect((await bench.podctl('scope')).out).toContain('nobody owns anything');
  });

  test('SCOPE-5: it is looked for below the home in the user database', async () => {
    await using folder = await tempFolder();
    await writeTable(
      join(folder.path, '.local/state/podd/registry'),
      tableOf(allocationOf({ pod: 'a' })),
    );
    const fake = new FakeShell({ userHome: folder.path, env: { HOME: '/nowhere' } });
    expect(await podctl(['scope'], fake.shell, '0')).toBe(0);
    expect(fake.outText).toContain('/.local/state/podd/registry\n\na  dead, pid');
    const homeless = new FakeShell({ userHome: null });
    expect(await podctl(['scope'], homeless.shell, '0')).toBe(69);
    expect(homeless.errText).toContain('set PODD_SCOPE_REGISTRY to an absolute path');
  });

  test.each(['scope', 'ls'])(
    'CLI-3 SCOPE-13: %s says of a damaged registry what is wrong and what to do, and ends with 65',
    async (command) => {
      await using bench = await Bench.open('{"format":1,"rev":');
      const file = join(bench.path, 'scope.json');
      const next = 'the next podd that starts moves it aside and writes it anew';
      expect(await bench.podctl(command)).toEqual({
        code: 65,
        out: '',
        err: `podctl: the registry ${file} is damaged: it is not JSON; ${next} from the Pods that live\n`,
      });
      const { store: _, ...row } = allocationOf({ pod: 'a' });
      await writeTable(bench.path, JSON.stringify({ ...tableOf(), allocations: [row] }));
      expect((await bench.podctl(command, '--json')).err).toContain(
        `is damaged: allocations.0.store is not what it has to be`,
      );
      await writeTable(bench.path, '[]');
      expect(await bench.podctl(command)).toMatchObject({ code: 65, out: '' });
    },
  );

  test('CLI-3: a registry of another format asks for the podctl that knows it', async () => {
    await using bench = await Bench.open(JSON.stringify({ format: 2, rows: [] }));
    expect(await bench.podctl('scope')).toMatchObject({
      code: 65,
      err: expect.stringContaining(
        'has format 2, this podctl knows 1; use the podctl of the podd that wrote it',
      ) as string,
    });
  });

  test('INV-12: a chain as long as the table is shown, in room that does not grow with its depth', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) =>
      allocationOf({ pod: `p${n}`, delegatedFrom: n === 0 ? null : `p${n - 1}` }),
    );
    await using bench = await Bench.open(tableOf(...rows));
    const { code, out } = await bench.podctl('scope');
    expect(code).toBe(0);
    expect(out.length).toBeLessThan(5_000 * 500);
  });
});

describe('podctl ls', () => {
  test('INV-6 INV-10: many Pods that take connections and never answer cost one deadline; the rest is shown as not asked', async () => {
    await using pod = await FakePod.listen(() => undefined);
    const rows = await Promise.all(
      Array.from({ length: 400 }, (_, n) => own({ pod: `p${n}`, socket: pod.socket })),
    );
    await using bench = await Bench.open(tableOf(...rows));
    const begun = performance.now();
    const { code, out } = await bench.podctl('ls');
    expect(performance.now() - begun).toBeLessThan(CLIENT_LIMITS.listedAllMs + deadline(900));
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(401);
    expect(out).toContain('not asked');
    expect(out).toContain('unreachable');
  });

  test('CLI-2: lists each Pod with what it says of itself', async () => {
    await using pod = await FakePod.listen(answering());
    const row = await own({ pod: 'a', socket: pod.socket, allow: [mayWrite('/w')] });
    await using bench = await Bench.open(tableOf(row));
    expect(await bench.podctl('ls')).toEqual({
      code: 0,
      out: 'POD  STATE  TURNS  OCCUPANCY  SCOPE  AGE\na    idle   5      900 (90%)  /w     1 m 1 s\n',
      err: '',
    });
    expect(pod.methods).toEqual(['GetStatus']);
    expect(await bench.json('ls')).toEqual([
      expect.objectContaining({
        pod: 'a',
        state: 'idle',
        liveness: 'live',
        turns: 5,
        occupancy: { tokens: 900, limit: 1000 },
        ageMs: 61_000,
        socket: pod.socket,
        allow: row.allow,
        problem: null,
      }),
    ]);
  });

  test('CLI-2: a Pod of another pid namespace lives if it answers', async () => {
    await using pod = await FakePod.listen(answering({ state: 'later_state', phase: 'tools' }));
    const row = await own({ pod: 'a', socket: pod.socket, pidNamespace: 'pid:[1]' });
    await using bench = await Bench.open(tableOf(row));
    expect(await bench.json('ls')).toMatchObject([
      { state: 'later_state', phase: 'tools', liveness: 'live' },
    ]);
  });

  test('CLI-2 INV-10: who does not answer is listed, by the name, as unreachable or dead', async () => {
    await using folder = await tempFolder();
    const [gone, live] = [join(folder.path, 'gone'), await own({ pod: 'b', socket: '/none' })];
    const dead = { ...live, pod: 'a', startedAt: 1, socket: gone };
    const away = { ...live, pod: 'c', pidNamespace: 'pid:[1]' };
    await using bench = await Bench.open(tableOf(live, away, dead));
    expect(await bench.json('ls')).toMatchObject([
      { pod: 'a', state: 'dead', liveness: 'dead', turns: null, occupancy: null, ageMs: null },
      { pod: 'b', state: 'unreachable', liveness: 'live', turns: null },
      { pod: 'c', state: 'unreachable', liveness: 'unknown' },
    ]);
    const { code, out, err } = await bench.podctl('ls');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.slice(0, 16).trim())).toEqual([
      'POD  STATE',
      'a    dead',
      'b    unreachable',
      'c    unreachable',
      '',
    ]);
    expect(err).toContain(`a (pid ${dead.pid}) is dead; the next podd that starts takes back`);
    expect(err).toContain(
      `b (pid ${live.pid}) lives and does not answer: there is no socket at /none; it keeps what it owns`,
    );
    expect(err).toContain(`c (pid ${live.pid}) can’t be seen from here and does not answer`);
  });

  test('CLI-2: a dead Pod is not asked, whoever serves at its socket now', async () => {
    await using pod = await FakePod.listen(answering());
    const row = await own({ pod: 'a', socket: pod.socket, startedAt: 1 });
    await using bench = await Bench.open(tableOf(row));
    expect(await bench.json('ls')).toMatchObject([{ state: 'dead' }]);
    expect(pod.methods).toEqual([]);
  });

  test.each([
    ['another Pod', { pod: 'b' }, `b (pid ${process.pid}) answers at its socket`],
    ['another process', { pid: 1 }, 'a (pid 1) answers at its socket'],
    ['a daemon that says something else', { uptimeMs: 'long' }, 'what it answers is no status'],
  ])('INV-10: %s at a Pod’s socket does not speak for it', async (_who, changes, says) => {
    await using pod = await FakePod.listen(answering(changes));
    const row = await own({ pod: 'a', socket: pod.socket });
    await using bench = await Bench.open(tableOf(row));
    expect(await bench.json('ls')).toMatchObject([
      { pod: 'a', state: 'unreachable', problem: expect.stringContaining(says) as string },
    ]);
  });

  test('CLI-2: Pods that hang delay the list by one deadline, not by one each', async () => {
    await using silent = await FakePod.listen(() => undefined);
    await using pod = await FakePod.listen(answering({ pod: 'z' }));
    const z = await own({ pod: 'z', socket: pod.socket });
    const hung = ['a', 'b', 'c'].map((name) => ({ ...z, pod: name, socket: silent.socket }));
    await using bench = await Bench.open(tableOf(z, ...hung));
    const began = performance.now();
    expect(await bench.json('ls')).toMatchObject([
      { pod: 'a', state: 'unreachable' },
      { pod: 'b', state: 'unreachable' },
      { pod: 'c', state: 'unreachable' },
      { pod: 'z', state: 'idle' },
    ]);
    const tookMs = performance.now() - began;
    expect(tookMs).toBeGreaterThan(CLIENT_LIMITS.listedMs * 0.9);
    expect(tookMs).toBeLessThan(CLIENT_LIMITS.listedMs + deadline(1_500));
    expect(silent.connections).toBe(0);
  });

  test('CLI-2: more Pods than are asked at once are all listed, in the order of their names', async () => {
    await using pod = await FakePod.listen(answering());
    const row = await own({ pod: 'a', socket: pod.socket });
    const names = Array.from(
      { length: CLIENT_LIMITS.listedAtOnce * 2 + 1 },
      (_, i) => `p${String(i).padStart(3, '0')}`,
    );
    const rows = names.toReversed().map((name) => ({ ...row, pod: name }));
    await using bench = await Bench.open(tableOf(...rows));
    const listed = (await bench.json('ls')) as { readonly pod: string }[];
    expect(listed.map((one) => one.pod)).toEqual(names);
  });

  test('CLI-2: where no Pod is, the list is empty and says so', async () => {
    await using bench = await Bench.open(tableOf());
    expect(await bench.podctl('ls')).toEqual({
      code: 0,
      out: `no Pod runs: nobody is in the registry ${bench.path}\n`,
      err: '',
    });
    expect(await bench.json('ls')).toEqual([]);
    await rm(bench.path, { recursive: true });
    expect(await bench.json('ls')).toEqual([]);
  });

  test('CLI-2: a scope is cut to the width of the terminal, and written whole to a pipe', async () => {
    const target = `/w/${'x'.repeat(300)}`;
    const row = await own({ pod: 'a', startedAt: 1, allow: [mayWrite(target)] });
    await using bench = await Bench.open(tableOf(row));
    expect((await bench.podctl('ls')).out).toContain(`${target}  -\n`);
    let text = '';
    const write = (more: string): string => (text += more);
    const drained = (): Promise<void> => Promise.resolve();
    const out = { write, drained, isTerminal: true, columns: 60 };
    const fake = new FakeShell({ env: { PODD_SCOPE_REGISTRY: bench.path, NO_COLOR: '1' }, out });
    expect(await podctl(['ls'], fake.shell, '0')).toBe(0);
    expect(text.split('\n').map((line) => Array.from(line).length)).toEqual([60, 58, 0]);
    expect(text).toContain('x…  -\n');
  });
});

test.each([
  ['ls', 'podctl ls --json | jq -r'],
  ['scope', 'podctl scope --json | jq -r'],
])('CLI-2: the help of %s has examples', async (command, example) => {
  const fake = new FakeShell();
  expect(await podctl([command, '--help'], fake.shell, '0')).toBe(0);
  expect(fake.outText).toContain(example);
});
