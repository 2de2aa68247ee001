import type { CheckedCall, Gate, GateAnswer, Passed } from '../ports/gate.ts';
import type { Files } from '../ports/files.ts';
import type { ScopeView } from '../ports/scope-view.ts';

/**
 * Decides by lease and scope alone, so far: a call of a Pod whose scope is no longer its own, one that names a file
 * outside it, or one that would write where it may only read, is denied before it runs. The files port checks again
 * what it really opens; this is the earlier, clearer answer.
 */
export function createGate(scope: ScopeView, files: Pick<Files, 'identify'>): Gate {
  return {
    call: async (call, signal) => {
      if ((await scope.fence(signal)) === 'lost')
        return deny('this Pod’s scope is no longer its own: nothing more is touched');
      for (const { path, need } of call.accesses) {
        // What is not absolute names no file yet; its tool says so.
        if (!path.startsWith('/')) continue;
        const permission = scope.permissionOf(await files.identify(path));
        if (permission === 'none') return deny(`${path} is outside this Pod's scope`);
        if (need === 'write' && permission === 'read')
          return deny(`${path} may be read, not written, by this Pod's scope`);
      }
      return allow<CheckedCall>(call);
    },
    request: (request) => Promise.resolve(allow(request)),
  };
}

function allow<T>(value: T): GateAnswer<T> {
  return { kind: 'allowed', passed: value as Passed<T> };
}

function deny<T>(reason: string): GateAnswer<T> {
  return { kind: 'denied', reason };
}
