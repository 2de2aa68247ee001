import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  allocationFile,
  judgeHolder,
  parseBootTime,
  parseProcessStat,
  type Probe,
  registryPlace,
  RegistryTable,
} from '../../../protocol/registry.ts';
import { allocationOf, tableOf } from '../../support/registry-table.ts';

/** The fields 3 to 22, as the kernel writes them. */
function stat({ name = 'node', state = 'S', threads = 11, startedAt = 900 } = {}): string {
  return `42 (${name}) ${state} 1 42 42 0 -1 4194304 30 0 0 0 5 5 0 0 20 0 ${threads} 0 ${startedAt} 12 3 0\n`;
}

const HOLDER = { claimedAt: 1_000, pid: 42, startedAt: 900, bootId: 'b1', pidNamespace: 'pid:[7]' };
const HERE = { bootId: 'b1', pidNamespace: 'pid:[7]', bootedAt: 5_000 };
const found = (changes: Parameters<typeof stat>[0] = {}): Probe => ({
  kind: 'found',
  stat: stat(changes),
});
const ABSENT: Probe = { kind: 'absent' };
const UNREADABLE: Probe = { kind: 'unreadable' };

describe('judgeHolder', () => {
  test.each([
    ['a process that sleeps', found(), 'live'],
    ['a process that runs', found({ state: 'R' }), 'live'],
    ['a process that waits for a disk', found({ state: 'D' }), 'live'],
    ['a process that is stopped', found({ state: 'T' }), 'live'],
    ['a process that is traced', found({ state: 't' }), 'live'],
    ['a zombie', found({ state: 'Z', threads: 1 }), 'dead'],
    ['a zombie of which a thread still writes', found({ state: 'Z', threads: 2 }), 'live'],
    ['a dead task', found({ state: 'X' }), 'dead'],
    ['a dead task, as older kernels write it', found({ state: 'x' }), 'dead'],
    ['a pid that another process has now', found({ startedAt: 901 }), 'dead'],
    ['a pid that another process had before', found({ startedAt: 899 }), 'dead'],
    ['no such pid', ABSENT, 'dead'],
    ['a process that can’t be read', UNREADABLE, 'unknown'],
    ['a line of another form', { kind: 'found', stat: 'nonsense' } as const, 'unknown'],
    ['an empty line', { kind: 'found', stat: '' } as const, 'unknown'],
  ] as const)('SCOPE-11 INV-10: %s', (_what, probe, verdict) => {
    expect(judgeHolder(HOLDER, HERE, probe)).toBe(verdict);
  });

  test.each([found(), ABSENT, UNREADABLE])(
    'SCOPE-11: a holder of another boot is dead, whatever its pid is now: $kind',
    (probe) => {
      expect(judgeHolder(HOLDER, { ...HERE, bootId: 'b2' }, probe)).toBe('dead');
      expect(judgeHolder(HOLDER, { ...HERE, bootId: 'b2', bootedAt: null }, probe)).toBe('dead');
      expect(judgeHolder(HOLDER, { ...HERE, bootId: 'b2', pidNamespace: 'pid:[8]' }, probe)).toBe(
        'dead',
      );
    },
  );

  test.each([found(), ABSENT, UNREADABLE])(
    'SCOPE-11 INV-10: one that claimed since this boot and has another boot id is of a container or another machine: $kind',
    (probe) => {
      const holder = { ...HOLDER, claimedAt: 5_001 };
      expect(judgeHolder(holder, { ...HERE, bootId: 'b2' }, probe)).toBe('unknown');
      expect(judgeHolder(holder, HERE, found())).toBe('live');
    },
  );

  test('SCOPE-11: the time of the boot stands in /proc/stat', () => {
    expect(parseBootTime('cpu 1 2\nbtime 1795470000\nprocesses 3\n')).toBe(1_795_470_000_000);
    expect(parseBootTime('cpu 1 2\n')).toBeNull();
  });

  test.each([found(), found({ startedAt: 1 }), ABSENT, UNREADABLE])(
    'SCOPE-11 INV-10: a holder of another pid namespace is unknown, whatever that pid is here: $kind',
    (probe) => {
      expect(judgeHolder(HOLDER, { ...HERE, pidNamespace: 'pid:[8]' }, probe)).toBe('unknown');
    },
  );

  test('SCOPE-11 INV-10: one who doesn’t know its own boot or namespace calls nobody dead', () => {
    expect(judgeHolder(HOLDER, { ...HERE, bootId: '' }, ABSENT)).toBe('unknown');
    expect(judgeHolder(HOLDER, { ...HERE, pidNamespace: '' }, ABSENT)).toBe('unknown');
    const hidden = { ...HOLDER, pidNamespace: '' };
    expect(judgeHolder(hidden, { ...HERE, pidNamespace: '' }, ABSENT)).toBe('unknown');
  });
});

describe('parseProcessStat', () => {
  test.each([
    'node',
    'a b',
    ') Z 1 2 3 (',
    ')',
    '(((',
    'two\nlines',
    'x) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 ',
    '',
  ])('SCOPE-11: a program called %j hides nothing', (name) => {
    expect(parseProcessStat(stat({ name }))).toEqual({ state: 'S', threads: 11, startedAt: 900 });
  });

  test('SCOPE-11: whatever a program calls itself, the state and the start time are the kernel’s', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z', 'X', 'I'),
        fc.nat(),
        fc.integer({ min: 1, max: 4000 }),
        (name, state, startedAt, threads) => {
          const text = stat({ name, state, threads, startedAt });
          expect(parseProcessStat(text)).toEqual({ state, threads, startedAt });
        },
      ),
    );
  });

  test('SCOPE-11: the line of a real process is read', () => {
    const line =
      '23584 (z) Z 23583 23574 20877 0 -1 4227084 119 0 1 0 0 0 0 0 20 0 2 0 1297504 0 0 18446744073709551615 0 0 0 0 0 0 0 6 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n';
    expect(parseProcessStat(line)).toEqual({ state: 'Z', threads: 2, startedAt: 1_297_504 });
  });

  test.each([
    '',
    '\n',
    '42',
    '42 (node)',
    '42 (node) S 1 42',
    stat({ state: '7' }),
    stat({ state: 'SS' }),
    stat().replace(' 900 ', ' -1 '),
    stat().replace(' 900 ', ' 9e2 '),
    stat().replace(' 11 0 900 ', ' ? 0 900 '),
    stat().replace(')', ''),
  ])('SCOPE-11 INV-10: %j is no such line', (text) => {
    expect(parseProcessStat(text)).toBeNull();
  });
});

describe('registryPlace', () => {
  test('SCOPE-5: it lies below the home of the user database, whatever the environment says', () => {
    const env = { HOME: '/elsewhere', XDG_STATE_HOME: '/s', PODD_STATE_DIR: '/t' };
    expect(registryPlace(env, '/home/a/')).toEqual({
      kind: 'found',
      path: '/home/a/.local/state/podd/registry',
      moved: false,
    });
    expect(registryPlace({}, '/')).toMatchObject({ path: '/.local/state/podd/registry' });
  });

  test('SCOPE-5: only PODD_SCOPE_REGISTRY moves it, and that is told', () => {
    const place = (value: string): unknown =>
      registryPlace({ PODD_SCOPE_REGISTRY: value }, '/home/a');
    expect(place('/r/x//')).toEqual({ kind: 'found', path: '/r/x', moved: true });
    expect(place('')).toMatchObject({ moved: false });
    expect(place('r')).toEqual({
      kind: 'none',
      says: 'PODD_SCOPE_REGISTRY is "r", but it has to be an absolute path',
    });
  });

  test.each([null, '', 'relative'])(
    'SCOPE-5: a user whose home is %j needs PODD_SCOPE_REGISTRY, and is told so',
    (home) => {
      expect(registryPlace({}, home)).toMatchObject({
        kind: 'none',
        says: expect.stringContaining('set PODD_SCOPE_REGISTRY') as string,
      });
      expect(registryPlace({ PODD_SCOPE_REGISTRY: '/r' }, home)).toMatchObject({ path: '/r' });
    },
  );

  test('PATH-1: each Pod has its row in a folder of its own', () => {
    expect(allocationFile('/r', 'coder')).toBe('/r/coder/allocation.json');
  });
});

describe('RegistryTable', () => {
  test('SCOPE-6: a table keeps its fields, and those of a later version, through JSON', () => {
    const row = { ...allocationOf({ pod: 'a', tokenHash: 'ff' }), later: 1 };
    const table = { ...tableOf(row), alsoLater: [2] };
    expect(v.parse(RegistryTable, JSON.parse(JSON.stringify(table)))).toEqual(table);
  });

  test.each(Object.keys(allocationOf({ pod: 'a' })))(
    'SCOPE-6 SCOPE-13: a row without %s is no row',
    (field) => {
      const row = Object.fromEntries(
        Object.entries(allocationOf({ pod: 'a' })).filter(([name]) => name !== field),
      );
      const table = { ...tableOf(), allocations: [row] };
      expect(v.is(RegistryTable, table)).toBe(false);
    },
  );

  test('SCOPE-13: a table of another format is not taken', () => {
    expect(v.is(RegistryTable, tableOf())).toBe(true);
    expect(v.is(RegistryTable, { ...tableOf(), format: 2 })).toBe(false);
  });
});
