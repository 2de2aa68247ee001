import { describe, expect, test } from 'vitest';
import { parseOptions, USAGE } from '../../../daemon/app/options.ts';

describe('parseOptions', () => {
  test('START-1: a manifest is enough; the rest has defaults', () => {
    expect(parseOptions(['--manifest', 'pod.toml'])).toEqual({
      kind: 'serve',
      manifest: 'pod.toml',
      userManifest: null,
      bare: false,
      overlays: [],
      session: 'latest',
      readyFd: 1,
      logLevel: 'info',
      logStderr: false,
    });
    expect(
      parseOptions(['--manifest=a', '--session', 'new', '--ready-fd', '3', '--log-level=debug']),
    ).toMatchObject({ session: 'new', readyFd: 3, logLevel: 'debug' });
    expect(parseOptions(['--manifest', 'a', '--log-stderr'])).toMatchObject({ logStderr: true });
    expect(parseOptions(['--manifest', 'a', '--check'])).toEqual({
      kind: 'check',
      manifest: 'a',
      userManifest: null,
      bare: false,
      overlays: [],
    });
    expect(parseOptions(['--help'])).toEqual({ kind: 'help' });
    expect(parseOptions(['--version'])).toEqual({ kind: 'version' });
  });

  test.each([
    [[], '--manifest FILE is required'],
    [['--manifest'], 'manifest'],
    [['--manifset', 'x'], '--manifset'],
    [['--manifest', 'x', 'stray'], 'stray'],
    [['--manifest', 'x', '--session', 'lastest'], 'did you mean latest?'],
    [['--manifest', 'x', '--ready-fd', 'two'], '"two"'],
    [['--manifest', 'x', '--bare', '--user-manifest', 'y'], '--bare'],
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
    const layers = ['user-manifest', 'bare', 'overlay', 'name', 'check'];
    for (const flag of layers) expect(USAGE).toContain(`--${flag}`);
    const flags = ['manifest', 'session', 'ready-fd', 'log-level', 'log-stderr', 'version', 'help'];
    for (const flag of flags) expect(USAGE).toContain(`--${flag}`);
  });
});
