import { describe, expect, test } from 'vitest';
import { resolvePaths } from '../../../daemon/manifest/paths.ts';

type Env = Record<string, string>;

function roots(env: Env, home = '/home/u'): string {
  const paths = resolvePaths(env, home, 'a');
  return paths.ok ? `${paths.value.runtimeRoot} ${paths.value.stateRoot}` : paths.error;
}

describe('resolvePaths', () => {
  test.each<[Env, string]>([
    [{}, '/home/u/.podd/run /home/u/.local/state/podd'],
    [{ XDG_RUNTIME_DIR: '/run/u', XDG_STATE_HOME: '/st' }, '/run/u/podd /st/podd'],
    [
      {
        PODD_RUNTIME_DIR: '/r',
        XDG_RUNTIME_DIR: '/run/u',
        PODD_STATE_DIR: '/s',
        XDG_STATE_HOME: '/st',
      },
      '/r /s',
    ],
    [
      { PODD_RUNTIME_DIR: '', XDG_RUNTIME_DIR: '', PODD_STATE_DIR: '', XDG_STATE_HOME: '' },
      '/home/u/.podd/run /home/u/.local/state/podd',
    ],
    [{ PODD_RUNTIME_DIR: '/r/../q/' }, '/q /home/u/.local/state/podd'],
    [{ PODD_RUNTIME_DIR: 'r' }, 'PODD_RUNTIME_DIR is "r", but it has to be an absolute path'],
    [{ XDG_STATE_HOME: '~/s' }, 'XDG_STATE_HOME is "~/s", but it has to be an absolute path'],
  ])('PATH-1: %j leads to %s', (env, expected) => {
    expect(roots(env)).toBe(expected);
  });

  test('PATH-1: without a home folder the variables decide, or are asked for', () => {
    expect(roots({ PODD_RUNTIME_DIR: '/r', PODD_STATE_DIR: '/s' }, '')).toBe('/r /s');
    expect(roots({ PODD_RUNTIME_DIR: '/r' }, '')).toBe(
      'there is no home folder; set PODD_STATE_DIR to an absolute path',
    );
    expect(roots({}, 'home')).toBe('HOME is "home", but it has to be an absolute path');
  });

  test('SCOPE-18: what the user configures for all Pods has one folder, none without a home', () => {
    const roots = { PODD_RUNTIME_DIR: '/r', PODD_STATE_DIR: '/s' };
    const config = (env: Env, home = '/home/u'): string | null => {
      const paths = resolvePaths({ ...roots, ...env }, home, 'a');
      return paths.ok ? paths.value.config : paths.error;
    };
    expect(config({})).toBe('/home/u/.config/podd');
    expect(config({ XDG_CONFIG_HOME: '' })).toBe('/home/u/.config/podd');
    expect(config({ XDG_CONFIG_HOME: '/etc/u' }, '')).toBe('/etc/u/podd');
    expect(config({}, '')).toBeNull();
    expect(config({ XDG_CONFIG_HOME: 'c' })).toBe(
      'XDG_CONFIG_HOME is "c", but it has to be an absolute path',
    );
  });

  test('PATH-1: a Pod has its own folder in each root', () => {
    const paths = resolvePaths({ PODD_RUNTIME_DIR: '/r', PODD_STATE_DIR: '/s' }, '/h', 'my.pod');
    expect(paths).toEqual({
      ok: true,
      value: {
        runtimeRoot: '/r',
        runtime: '/r/my.pod',
        socket: '/r/my.pod/sock',
        pid: '/r/my.pod/pid',
        status: '/r/my.pod/status.json',
        manifest: '/r/my.pod/manifest.toml',
        stateRoot: '/s',
        state: '/s/pods/my.pod',
        db: '/s/pods/my.pod/db',
        sessions: '/s/pods/my.pod/sessions',
        spool: '/s/pods/my.pod/spool',
        log: '/s/pods/my.pod/podd.log',
        config: '/h/.config/podd',
      },
    });
  });
});
