/** What the process does on a signal. Handlers only hand on; nothing is done inside one. */
export type SignalActions = {
  readonly stop: (signal: 'SIGTERM' | 'SIGINT') => void;
  /** A second signal to stop: at once. */
  readonly abort: (signal: 'SIGTERM' | 'SIGINT') => void;
  readonly reopenLog: () => void;
};

/** Installed before anything is opened, so that no signal meets the default action half-way. */
export function onSignals(actions: SignalActions): Disposable {
  let stopping = false;
  const stopBy = (signal: 'SIGTERM' | 'SIGINT') => (): void => {
    if (stopping) actions.abort(signal);
    stopping = true;
    actions.stop(signal);
  };
  const onTerm = stopBy('SIGTERM');
  const onInt = stopBy('SIGINT');
  process.on('SIGTERM', onTerm);
  process.on('SIGINT', onInt);
  process.on('SIGHUP', actions.reopenLog);
  return {
    [Symbol.dispose]: () => {
      process.removeListener('SIGTERM', onTerm);
      process.removeListener('SIGINT', onInt);
      process.removeListener('SIGHUP', actions.reopenLog);
    },
  };
}
