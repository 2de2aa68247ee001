import { describe, expect, test } from 'vitest';
import { parseOptions, USAGE } from '../../../daemon/app/options.ts';

describe('parseOptions', () => {
  test('START-1: a manifest is enough; the rest has defaults', () => {
    expect(parseOptions(['--manifest', 'pod.toml'])).toEqual({
      kind: 'serve',
      manifest: { kind: 'file', path: 'pod.toml' },
      userManifest: null,
      bare: false,
      overlays: [],
      state: null,
      session: { kind: 'latest' },
      readyFd: 1,
      logLevel: 'info',
      logStderr: false,
    });
    expect(
      parseOptions(['--manifest=a', '--session', 'new', '--ready-fd', '3', '--log-level=debug']),
    ).toMatchObject({ session: { kind: 'new' }, readyFd: 3, logLevel: 'debug' });
    expect(parseOptions(['--manifest', 'a', '--log-stderr'])).toMatchObject({ logStderr: true });
    expect(parseOptions(['--manifest', 'a', '--check'])).toEqual({
      kind: 'check',
      manifest: { kind: 'file', path: 'a' },
      userManifest: null,
      bare: false,
      overlays: [],
      state: null,
    });
    expect(parseOptions([])).toMatchObject({ manifest: { kind: 'found', project: null } });
    expect(parseOptions(['--project', 'd', '--state', 's'])).toMatchObject({
      manifest: { kind: 'found', project: 'd' },
      state: 's',
    });
    expect(parseOptions(['--manifest', '-', '--print-manifest'])).toMatchObject({
      kind: 'print_manifest',
      manifest: { kind: 'stdin' },
    });
    const id = '01938a5e-0000-7000-8000-000000000001';
    expect(parseOptions(['--session', id])).toMatchObject({ session: { kind: 'id', id } });
    expect(parseOptions(['--help'])).toEqual({ kind: 'help' });
    expect(parseOptions(['--version'])).toEqual({ kind: 'version' });
  });

  test.each([
    [['--manifest', 'x', '--project', 'y'], 'give one of them'],
    [['--project', 'x', '--bare'], '--bare'],
    [['--check', '--print-manifest'], 'give one of them'],
    [['--manifest', ''], '--manifest takes a path'],
    [['--session', '01938a5e'], 'latest, new or a session'],
    [['--manifest'], 'manifest'],
    [['--manifset', 'x'], '--manifset'],
    [['--manifest', 'x', 'stray'], 'stray'],
    [['--manifest', 'x', '--session', 'lastest'], 'did you mean latest?'],
    [['--manifest', 'x', '--ready-fd', 'two'], '"two"'],
    [['--manifest', 'x', '--bare', '--user-manifest', 'y'], '--bare'],
    [['--manifest', 'x', '--manifest', 'y'], '--manifest is given twice'],
    [['--manifest', 'x', '--log-level', 'loud'], 'debug, info, warn, error'],
  ])('EXIT-1 START-1: %j is a usage error that names what is wrong', (argv, says) => {
    expect(() => parseOptions(argv)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(says) as string,
      }) as Error,
    );
  });

  test('START-1 MAN-2: overlays keep their order, the name comes last, each with its flag', () => {
    const argv = ['--overlay', 'a = 1', '--name', 'n"', '--manifest', 'm', '--overlay', 'b = 2'];
    expect(parseOptions([...argv, '--user-manifest', 'u'])).toMatchObject({
      userManifest: 'u',
      overlays: [
        { source: '--overlay (1 of 2)', text: 'a = 1' },
        { source: '--overlay (2 of 2)', text: 'b = 2' },
        { source: '--name', text: 'pod.name = "n\\""' },
      ],
    });
  });

  test('START-1: the help names every option', () => {
    const layers = ['project', 'user-manifest', 'bare', 'overlay', 'name', 'state', 'check'];
    for (const flag of layers) expect(USAGE).toContain(`--${flag}`);
    const flags = [
      'manifest',
      'session',
      'ready-fd',
      'log-level',
      'log-stderr',
      'version',
      'help',
      'print-manifest',
    ];
    for (const flag of flags) expect(USAGE).toContain(`--${flag}`);
  });
});
