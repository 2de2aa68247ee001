/** The daemon's own log. Fields are plain JSON; secrets are taken out behind this port, not before it. */
export type Log = {
  readonly [Level in 'debug' | 'info' | 'warn' | 'error' | 'fatal']: (
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
};
