import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RegistryTable } from '../../protocol/registry.ts';
import { DEAD_PID, TempRegistry, writes } from '../support/temp-registry.ts';

const SIGNAL = new AbortController().signal;

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Changes the file behind everybody's back, as an editor would. */
function rewrite(at: TempRegistry, change: (table: RegistryTable) => RegistryTable): void {
  writeFileSync(join(at.folder, 'scope.json'), JSON.stringify(change(at.table())));
}

describe('Registry', () => {
  test('SCOPE-5 SCOPE-6 SCOPE-7: a claim is a row of one file, 0600 in 0700, and a file of its own; a release leaves neither', async () => {
    await using at = await TempRegistry.open();
    const lease = await at.claim('a', ['/w']);
    expect(mode(at.folder)).toBe('700');
    expect(mode(join(at.folder, 'scope.json'))).toBe('600');
    expect(mode(join(at.folder, 'a'))).toBe('700');
    expect(mode(join(at.folder, 'a/allocation.json'))).toBe('600');
    expect(at.row('a')).toEqual({
      pod: 'a',
      store: '/state/a',
      ...at.identity,
      socket: '/proc/self/stat',
      allow: [writes('/w')],
      deny: [],
      delegatedFrom: null,
      origin: null,
      ancestors: [],
      epoch: lease.epoch,
      claimedAt: 1_000,
      version: '0.0.0',
    });
    expect(JSON.parse(readFileSync(join(at.folder, 'a/allocation.json'), 'utf8'))).toEqual(
      at.row('a'),
    );
    await lease[Symbol.asyncDispose]();
    await lease[Symbol.asyncDispose]();
    expect(at.table().allocations).toEqual([]);
    expect(existsSync(join(at.folder, 'a'))).toBe(false);
    expect(readdirSync(at.folder).sort()).toEqual(['lock.json', 'scope.json', 'scope.lock']);
  });

  test('SCOPE-7: a taken name and an overlapping write name the owner; reads conflict with nothing', async () => {
    await using at = await TempRegistry.open();
    await using _a = await at.claim('a', ['/w']);
    await expect(at.claim('a', ['/elsewhere'])).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining(`Pod a is running already (pid ${process.pid})`) as string,
    });
    await expect(at.claim('b', ['/w/deep'])).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining(
        `/w/deep is written by Pod a (pid ${process.pid})`,
      ) as string,
    });
    const reads = { allow: [{ ...writes('/w'), permission: 'read' as const }], deny: [] };
    await using reader = await at.claim('b', [], { scope: reads });
    expect(reader.own()).toEqual(reads);
  });

  test('SCOPE-11 INV-10: the dead are reclaimed by the next claim, whoever can’t be asked is not', async () => {
    await using at = await TempRegistry.open();
    const leases = [await at.claim('dead', ['/dead']), await at.claim('far', ['/far'])];
    leases.push(await at.claim('rebooted', ['/rebooted']), await at.claim('reused', ['/reused']));
    rewrite(at, (table) => ({
      ...table,
      allocations: table.allocations.map((row) => {
        if (row.pod === 'dead') return { ...row, pid: DEAD_PID };
        if (row.pod === 'far') return { ...row, pidNamespace: 'pid:[1]' };
        if (row.pod === 'rebooted') return { ...row, bootId: 'another' };
        return { ...row, startedAt: row.startedAt - 1 };
      }),
    }));
    for (const free of ['dead', 'rebooted', 'reused']) await at.claim(`new-${free}`, [`/${free}`]);
    await expect(at.claim('new-far', ['/far'])).rejects.toMatchObject({ code: 'taken' });
    expect(at.table().allocations.map(({ pod }) => pod)).toEqual([
      'far',
      'new-dead',
      'new-rebooted',
      'new-reused',
    ]);
    expect(readdirSync(at.folder)).not.toContain('dead');
    expect(leases).toHaveLength(4);
  });

  const damages: readonly [string, (path: string) => void][] = [
    [
      'empty',
      (path) => {
        writeFileSync(path, '');
      },
    ],
    [
      'cut in the middle',
      (path) => {
        writeFileSync(path, readFileSync(path).subarray(0, 300));
      },
    ],
    [
      'not JSON',
      (path) => {
        writeFileSync(path, 'hello');
      },
    ],
    [
      'of another shape',
      (path) => {
        writeFileSync(path, '{"format":1,"allocations":[1]}');
      },
    ],
    [
      'a list',
      (path) => {
        writeFileSync(path, '[]');
      },
    ],
    [
      'zeroes',
      (path) => {
        writeFileSync(path, Buffer.alloc(500));
      },
    ],
    [
      'a ring',
      (path) => {
        const table = JSON.parse(readFileSync(path, 'utf8')) as RegistryTable;
        const allocations = table.allocations.map((row) => ({ ...row, delegatedFrom: row.pod }));
        writeFileSync(path, JSON.stringify({ ...table, allocations }));
      },
    ],
    [
      'gone',
      (path) => {
        rmSync(path);
      },
    ],
  ];
  test.each(damages)(
    'SCOPE-13 SCOPE-19: a registry that is %s is rebuilt from the live Pods; the log says so and no epoch is used again',
    async (what, damage) => {
      await using at = await TempRegistry.open();
      await using live = await at.claim('live', ['/live']);
      await at.claim('dead', ['/dead']);
      rewrite(at, (table) => ({
        ...table,
        allocations: table.allocations.filter(({ pod }) => pod === 'live'),
      }));
      writeFileSync(
        join(at.folder, 'dead/allocation.json'),
        JSON.stringify({ ...at.row('live'), pod: 'dead', pid: DEAD_PID, epoch: 77 }),
      );
      mkdirSync(join(at.folder, 'odd'));
      writeFileSync(join(at.folder, 'odd/allocation.json'), '{');
      const row = at.row('live');
      damage(join(at.folder, 'scope.json'));
      await expect(at.claim('b', ['/live/x'])).rejects.toMatchObject({ code: 'taken' });
      expect(at.row('live')).toEqual(row);
      await using next = await at.claim('c', ['/dead']);
      expect(next.epoch).toBe(78);
      expect(await live.fence(SIGNAL)).toBe('held');
      expect(at.lines.find(({ level }) => level === 'error')).toMatchObject({
        message: expect.stringContaining('is rebuilt from the live Pods') as string,
        fields: { pods: ['live'], unreadable: ['odd'] },
      });
      expect(existsSync(join(at.folder, 'scope.json.damaged'))).toBe(what !== 'gone');
    },
  );

  test('SCOPE-13 INV-10: a row that can’t be read is no missing one: nothing is rebuilt without it', async () => {
    await using at = await TempRegistry.open();
    await using lease = await at.claim('live', ['/live']);
    const row = join(at.folder, 'live/allocation.json');
    const text = readFileSync(row, 'utf8');
    rmSync(row);
    mkdirSync(row);
    writeFileSync(join(at.folder, 'scope.json'), 'nonsense');
    await expect(at.claim('b', ['/live'])).rejects.toMatchObject({ code: 'cannot_create' });
    expect(readFileSync(join(at.folder, 'scope.json'), 'utf8')).toBe('nonsense');
    rmSync(row, { recursive: true });
    writeFileSync(row, text);
    await expect(at.claim('b', ['/live'])).rejects.toMatchObject({ code: 'taken' });
    expect(await lease.fence(SIGNAL)).toBe('held');
  });

  test('SCOPE-5 EXIT-1: what the system refuses in the folder is told as such, not as a bug', async () => {
    await using at = await TempRegistry.open();
    writeFileSync(join(at.folder, 'scope.json'), 'nonsense');
    mkdirSync(join(at.folder, 'scope.json.damaged/full'), { recursive: true });
    await expect(at.claim('a', ['/a'])).rejects.toMatchObject({
      code: 'cannot_create',
      message: expect.stringContaining(at.folder) as string,
    });
  });

  test('LOG-17: a registry of another format is refused, naming both, before anything is written', async () => {
    await using at = await TempRegistry.open();
    await at.claim('a', ['/w']);
    rewrite(at, (table) => ({ ...table, format: 2 }) as unknown as RegistryTable);
    const before = readFileSync(join(at.folder, 'scope.json'), 'utf8');
    await expect(at.claim('b', ['/b'])).rejects.toMatchObject({
      code: 'manifest_invalid',
      message: expect.stringMatching(/format 2.*knows 1/) as string,
    });
    expect(readFileSync(join(at.folder, 'scope.json'), 'utf8')).toBe(before);
    expect(readdirSync(at.folder)).not.toContain('b');
  });

  test('LOG-17: fields that this version does not know are kept', async () => {
    await using at = await TempRegistry.open();
    await using _lease = await at.claim('a', ['/w']);
    rewrite(at, (table) => ({
      ...table,
      later: { of: 'the table' },
      allocations: table.allocations.map((row) => ({ ...row, later: 'of the row' })),
    }));
    await using _other = await at.claim('b', ['/b']);
    expect(at.table()).toMatchObject({ later: { of: 'the table' } });
    expect(at.row('a')).toMatchObject({ later: 'of the row' });
  });

  test('SCOPE-5: what a killed writer left beside the table is swept; a file time only rises', async () => {
    await using at = await TempRegistry.open();
    await at.claim('a', ['/a']);
    writeFileSync(join(at.folder, 'scope.json.99.tmp'), 'half a tab');
    const future = new Date(Date.now() + 3_600_000);
    const path = join(at.folder, 'scope.json');
    utimesSync(path, future, future);
    const before = statSync(path, { bigint: true }).mtimeNs;
    await using again = await TempRegistry.open(at.folder);
    await again.claim('b', ['/b']);
    expect(readdirSync(at.folder)).not.toContain('scope.json.99.tmp');
    expect(statSync(path, { bigint: true }).mtimeNs).toBeGreaterThan(before);
  });
});

describe('Lease', () => {
  test('SCOPE-5 INV-12: rows that a killed writer left, and the table never had, are swept; those of the living stay', async () => {
    await using first = await TempRegistry.open();
    await using lease = await first.claim('a', ['/w']);
    const row = JSON.parse(readFileSync(join(first.folder, 'a/allocation.json'), 'utf8')) as object;
    const put = (pod: string, changes: object): void => {
      mkdirSync(join(first.folder, pod));
      writeFileSync(
        join(first.folder, pod, 'allocation.json'),
        JSON.stringify({ ...row, pod, ...changes }),
      );
    };
    put('dead', { pid: DEAD_PID });
    put('alive', {});
    put('later', { pid: 'of another format' });
    mkdirSync(join(first.folder, 'begun'));
    writeFileSync(join(first.folder, 'begun/allocation.json.tmp'), '{');
    await using second = await TempRegistry.open(first.folder);
    await using other = await second.claim('b', ['/x']);
    expect(readdirSync(first.folder).filter((name) => !name.includes('lock'))).toEqual([
      'a',
      'alive',
      'b',
      'later',
      'scope.json',
    ]);
    expect([lease.isLost, other.isLost]).toEqual([false, false]);
  });

  test('SCOPE-19: the epoch is above the registry’s counter and above what the store remembers, in the file too', async () => {
    await using at = await TempRegistry.open();
    const first = await at.claim('a', ['/a']);
    expect(await first.raiseEpoch(0, SIGNAL)).toBe(1);
    expect(await first.raiseEpoch(40, SIGNAL)).toBe(41);
    expect(at.row('a')?.epoch).toBe(41);
    expect(await first.fence(SIGNAL)).toBe('held');
    await first[Symbol.asyncDispose]();
    const second = await at.claim('a', ['/a']);
    expect(second.epoch).toBe(42);
  });

  test('SCOPE-19 INV-11: a lease whose row is gone, or another process’s, is lost for good', async () => {
    await using at = await TempRegistry.open();
    const gone = await at.claim('a', ['/a']);
    const taken = await at.claim('b', ['/b']);
    await using kept = await at.claim('c', ['/c']);
    const before = at.table();
    rewrite(at, (table) => ({
      ...table,
      allocations: table.allocations
        .filter(({ pod }) => pod !== 'a')
        .map((row) => (row.pod === 'b' ? { ...row, epoch: 9 } : row)),
    }));
    expect(await gone.fence(SIGNAL)).toBe('lost');
    expect(await taken.fence(SIGNAL)).toBe('lost');
    expect(await kept.fence(SIGNAL)).toBe('held');
    await expect(gone.lost).resolves.toBeUndefined();
    rewrite(at, () => before);
    expect(await gone.fence(SIGNAL)).toBe('lost');
    // What is lost is not released either: it is somebody else's now.
    await taken[Symbol.asyncDispose]();
    expect(at.row('b')).toBeDefined();
  });

  test.each([
    ['start time', { startedAt: 1 }],
    ['pid namespace', { pidNamespace: 'pid:[1]' }],
    ['boot', { bootId: 'another' }],
    ['store', { store: '/elsewhere' }],
  ])(
    'SCOPE-19: a row of the same pid and epoch and another %s is another Pod’s',
    async (_what, changes) => {
      await using at = await TempRegistry.open();
      const lease = await at.claim('a', ['/a']);
      rewrite(at, (table) => ({
        ...table,
        allocations: table.allocations.map((row) => ({ ...row, ...changes })),
      }));
      expect(await lease.fence(SIGNAL)).toBe('lost');
    },
  );

  test('SCOPE-19 INV-10: a registry that can’t be asked is neither held nor lost', async () => {
    await using at = await TempRegistry.open();
    await using lease = await at.claim('a', ['/a']);
    const path = join(at.folder, 'scope.json');
    rmSync(path);
    mkdirSync(path);
    await expect(lease.fence(SIGNAL)).rejects.toMatchObject({ code: 'cannot_create' });
    rmSync(path, { recursive: true });
    expect(await lease.fence(SIGNAL)).toBe('held');
  });

  test('INV-11: a lease that is left stays until its process is seen to be gone', async () => {
    await using at = await TempRegistry.open();
    const lease = await at.claim('a', ['/a']);
    lease.leave();
    await lease[Symbol.asyncDispose]();
    expect(at.row('a')).toBeDefined();
    await expect(at.claim('b', ['/a'])).rejects.toMatchObject({ code: 'taken' });
  });

  test('SCOPE-7: a holder whose socket is not there is on its way out, and is waited for', async () => {
    await using at = await TempRegistry.open();
    const leaving = await at.claim('a', ['/a'], { socket: '/nonexistent/sock' });
    const next = at.claim('a', ['/a']);
    await leaving[Symbol.asyncDispose]();
    await using lease = await next;
    expect(lease.epoch).toBeGreaterThan(leaving.epoch);
  });
});
