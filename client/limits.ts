/** Every bound of the client and of podctl, with its unit in its name. */
export const CLIENT_LIMITS = {
  connectMs: 5_000,
  /** Reads such as `GetStatus` are answered at once; a Pod that is silent for this long hangs. */
  answerMs: 10_000,
  /** From `Run` to its input being on disk; the daemon gives itself a minute for that. */
  acceptMs: 90_000,
  /** `Cancel` answers after 5 s at the latest, with what is left of the run. */
  cancelMs: 10_000,
  /** How long the end of a stop may take after its answer: 5 s, and room for a slow disk. */
  stopNowMs: 15_000,
  /** A graceful stop waits for the run: the daemon's own bound of 10 minutes, and its last steps. */
  stopGracefulMs: 615_000,
  socketPollMs: 50,
  /** `podctl ls` gives each Pod so long to take a connection, and once more to answer: one that hangs delays the rest. */
  listedMs: 2_000,
  listedAtOnce: 64,
  /** The whole of `podctl ls`: after this no Pod is waited for, and no further one asked. */
  listedAllMs: 5_000,
  /** A podd that starts writes its row before the table: rows without one are looked at again after this. */
  registryAgainMs: 500,
  /** podd takes no longer one. */
  manifestBytes: 1024 * 1024,
  /** What is read of a registry; a thousand Pods have about a megabyte. */
  registryBytes: 64 * 1024 * 1024,
  /** What `podctl run POD -` takes from stdin. The protocol's own bound is counted in UTF-16 units. */
  inputBytes: 8 * 1024 * 1024,
  /** Events held before the answer that says which run is ours; beyond it deltas are dropped. */
  earlyEvents: 10_000,
  /** The first pause after a connection is lost, and the longest: each is up to twice the one before. */
  redialFirstMs: 50,
  redialLastMs: 2_000,
  /** How long a Pod that was there is waited for: a restart takes a second, a slow disk longer. */
  redialMs: 60_000,
  /** How long `--follow` and `chat` wait for it: a graceful stop alone may take ten minutes. */
  followMs: 900_000,
  /** What a consumer of events may leave lying; beyond it the socket is not read. */
  queuedEvents: 256,
  queuedBytes: 1024 * 1024,
  /** From `podd` to its ready line: it opens its store, and a large one is read whole. */
  startMs: 60_000,
  /** What a start that is given up gets to clean up after itself, before it is killed. */
  startStopMs: 3_000,
  /** Of what a start says on stderr, the end is kept. */
  startSaysBytes: 16 * 1024,
  readyLineBytes: 64 * 1024,
  /** How often a log that is followed is looked at. */
  logPollMs: 100,
  /** What is read of a log at once, and the longest line that is kept whole. */
  logPieceBytes: 64 * 1024,
  logLineUnits: 1024 * 1024,
  /** What `podctl logs` shows of a log's end. */
  logLines: 200,
  /** The longest line of `podctl chat`, in UTF-16 units. */
  chatLineUnits: 1024 * 1024,
  /** How long `podctl chat` waits, after a gap, for the end of a run that was answered. */
  endDrawnMs: 1_000,
} as const;
