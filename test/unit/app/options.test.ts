import { describe, expect, test } from 'vitest';
import { parseOptions, USAGE } from '../../../daemon/app/options.ts';

describe('parseOptions', () => {
  test('START-1: a manifest is enough; the rest has defaults', () => {
    expect(parseOptions(['--manifest', 'pod.toml'])).toEqual({
      kind: 'serve',
      manifest: 'pod.toml',
      session: 'latest',
      readyFd: 1,
      logLevel: 'info',
      logStderr: false,
    });
    expect(
      parseOptions(['--manifest=a', '--session', 'new', '--ready-fd', '3', '--log-level=debug']),
    ).toMatchObject({ session: 'new', readyFd: 3, logLevel: 'debug' });
    expect(parseOptions(['--manifest', 'a', '--log-stderr'])).toMatchObject({ logStderr: true });
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
    [['--manifest', 'x', '--log-level', 'loud'], 'debug, info, warn, error'],
  ])('EXIT-1 START-1: %j is a usage error that names what is wrong', (argv, says) => {
    expect(() => parseOptions(argv)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(says) as string,
      }) as Error,
    );
  });

  test('START-1: the help names every option', () => {
    const flags = ['manifest', 'session', 'ready-fd', 'log-level', 'log-stderr', 'version', 'help'];
    for (const flag of flags) expect(USAGE).toContain(`--${flag}`);
  });
});
