/**
 * Every bound of the daemon, with its unit in its name. A wait or a queue that is not a row here does not exist:
 * each row has a test that reaches it (`test/unit/core/limits.test.ts` names them).
 */
export const LIMITS = {
  /** One line of the wire. The same number stands in `protocol/framing.ts`. */
  lineBytes: 16 * 1024 * 1024,
  /** An unfinished line that is longer takes one of the places for such lines, and has a deadline. */
  shortLineBytes: 256 * 1024,
  longLines: 2,
  longLineMs: 10_000,
  /** Connections at once. A further one is answered `busy` and closed. */
  connections: 256,
  /** Requests of one connection that are not answered yet. Reading from it pauses at this number. */
  requestsInFlight: 256,
  /** Answers not yet taken by a client; beyond it nothing more is read from that client. */
  unsentAnswerBytes: 8 * 1024 * 1024,
  /** A subscriber that is further behind gets no deltas. */
  unsentDeltaBytes: 4 * 1024 * 1024,
  /** A client that is further behind is disconnected. */
  unsentBytes: 32 * 1024 * 1024,
  /** A subscriber that went away without a word is noticed by the failed write of a `Ping`. */
  pingEveryMs: 30_000,
  /** The ring that a `Subscribe` with `after` replays from. */
  ringEvents: 4096,
  ringBytes: 8 * 1024 * 1024,
  /** Notices that a new subscriber is shown. */
  notices: 512,
  /** One page of `GetHistory`. */
  historyPageItems: 500,
  historyPageBytes: 4 * 1024 * 1024,

  /** Work waiting in the inbox. A further `Run` is refused with `busy`. */
  workLane: 64,
  /** Inputs that wait for the run before them, and their text in UTF-16 units. */
  queuedInputs: 64,
  queuedInputUnits: 2_000_000,
  /** Notes that wait for the next request, and their bytes; older ones are counted only. */
  queuedNotes: 128,
  queuedNoteBytes: 2 * 1024 * 1024,
  /** Ids of requests that are not done twice. */
  seenRequests: 10_000,
  seenRequestMs: 30 * 24 * 3_600_000,
  /** Looking up how a run ended that is asked for again; answers that are being looked up at once. */
  readLogMs: 10_000,
  /** Looks at older sessions at once; further ones wait their turn, under the same deadline. */
  logReads: 2,
  lookUps: 256,
  /** Requests that wait for the same run. */
  askersOfRun: 1024,
  /** Of the input of a run that was cut off, to recall it behind others. */
  recalledBytes: 2048,
  /** What waits and could not begin is tried again after this; notes then after twice as long each time, up to the second. */
  queueRetryMs: 10_000,
  noteRetryMaxMs: 600_000,
  /** The task between a `Run` and its first request. */
  prepareMs: 60_000,
  /** `Cancel` answers with survivors after this. */
  cancelMs: 5_000,
  /** A stop: the run's end, the flush, the sockets, the store. A test asserts that the parts fit the whole. */
  shutdownNowMs: 5_000,
  shutdownGracefulMs: 600_000,
  /** What is left of a stop when the run is cancelled, and when it is given up. */
  stopCancelMs: 3_000,
  stopAbandonMs: 1_000,
  closeStepMs: 500,

  /** Model requests. Adapters for real providers have finer ones. */
  requestTotalMs: 30 * 60_000,
  emptyAnswers: 2,
  /** Text, reasoning and arguments of one answer; it fits an entry, with JSON's escapes. */
  answerUnits: 4 * 1024 * 1024,
  answerBlocks: 1024,
  /** Events of an answer that are taken before anything else gets its turn. */
  answerEventsAtOnce: 64,
  callsPerTurn: 128,
  /** Fewer than libuv's four threads: files that hang must leave one to the journal. */
  callsAtOnce: 3,
  /** A tool that runs longer is ended with an error result. */
  toolMs: 120_000,
  /** How long a tool may take to end after its signal; what still runs then is named, not waited for. */
  toolAbortMs: 2_000,
  requestBytes: 32 * 1024 * 1024,
  /** Of the compactor: its requests, its time, the files that it may mark, and as many that it may name. */
  compactorTurns: 20,
  compactorMs: 600_000,
  compactorFiles: 100,
  /** Failures in a row before nothing is compacted by itself any more. */
  compactionFailures: 3,
  /** The text of a model server's refusal; what is beyond it, or comes later, is left. */
  refusalBytes: 64 * 1024,
  refusalMs: 2_000,
  /** One line of a model server's stream: an event, in which the whole of the largest answer would fit. */
  responseLineBytes: 16 * 1024 * 1024,
  /** All of that stream. The longest answers have 128,000 events of some 200 bytes. */
  responseBytes: 64 * 1024 * 1024,

  /** One entry of a log. It fits a line of the wire, so that every item can be told. */
  entryBytes: 12 * 1024 * 1024,
  /** Above this the journal begins a new chain from its state. */
  journalBytes: 1024 * 1024,
  /** Batches waiting for the disk. */
  commitQueue: 1024,
  /** Bytes of those batches; it holds a few of the largest entries. */
  commitQueueBytes: 64 * 1024 * 1024,
  /** A commit that the disk does not take in this time fails its run. */
  commitMs: 30_000,
  openStoreMs: 30_000,
  /** A start waits so long for a holder of the name that is on its way out. */
  leavingHolderMs: 2_000,
  /** The scope registry, as JSON; it holds some thousand Pods. */
  registryBytes: 8 * 1024 * 1024,
  /** How often a change of the registry begins anew when its lock was lost on the way. */
  registryAttempts: 5,
  /** A wait for the registry's lock, which is held for milliseconds. */
  registryLockMs: 10_000,
  /** A portable lock that was not kept fresh for so long is anybody's. The least that its library takes. */
  portableLockStaleMs: 2_000,
  /** Who took a portable lock looks once more after this; between that look and the rename may be no more. */
  portableLockSettleMs: 25,
  /** A Pod that ends gives its scope back in this time, or leaves that to the next one that looks. */
  releaseMs: 2_000,
  /** A start that is to stop and does not get on is given up. */
  startAbandonMs: 1_000,
  /** A process that has stopped and closed nothing for so long is ended: a file call that hangs would keep it for ever. */
  exitMs: 3_000,

  /** One kept output; of a larger one the middle is left out. */
  spoolBytes: 64 * 1024 * 1024,
  spoolHeadBytes: 16 * 1024 * 1024,
  /** All kept outputs of a Pod: the oldest are dropped. At the default cap of a result, that of bytes is reached first. */
  spoolPodBytes: 512 * 1024 * 1024,
  spoolFiles: 32 * 1024,
  /** A result waits so long for its whole to be kept. */
  spoolMs: 10_000,

  resultContentBytes: 16 * 1024,
  resultSummaryBytes: 1024,
  errorTextBytes: 4 * 1024,
  trackedFiles: 10_000,
  /** Of these, how many are told as the most recent. */
  recentFiles: 20,

  /** What the daemon itself carries over a compaction: files named in it, and all of its text. */
  ledgerFiles: 200,
  ledgerBytes: 8 * 1024,
  /** Of the session's first request, in there. */
  firstRequestBytes: 4 * 1024,
  /** Directives of the user that a summary carries on, word for word; the oldest are left out. */
  directiveBytes: 4 * 1024,

  readLines: 2_000,
  readLineUnits: 2_000,
  /** Files up to this size are hashed when read, and can then be written or edited. */
  editableFileBytes: 8 * 1024 * 1024,
  /** Places that one edit may replace. */
  editMatches: 100_000,
  /** The diff that an edit shows; the rest is only counted. */
  diffHunks: 4,
  diffHunkLines: 10,
  diffLineUnits: 120,
  /** Folders that one write may make. */
  createdFolders: 32,

  manifestBytes: 1024 * 1024,
  /** One prompt file. */
  promptAssetBytes: 256 * 1024,
  /** What of an AGENTS.md goes into the prompt. */
  agentsMdBytes: 64 * 1024,
  /** A rendered template. */
  promptBytes: 256 * 1024,
  /** How many numbers one `range` makes. */
  templateRange: 10_000,
  /** Of one rendering, in the process that renders. */
  templateCpuMs: 250,
  /** That process, from its start to its end, and what it may use. */
  templateMs: 10_000,
  templateMemoryMiB: 64,
  /** Templates that one prompt is made of, and times that the process asks for more of them. */
  templateAssets: 256,
  templateRounds: 32,
  /** One job or reply. */
  templateLineBytes: 8 * 1024 * 1024,
  /** Defaults of a provider's timeouts: to connect, to the first event of an answer, between two pieces of it. */
  connectMs: 10_000,
  firstEventMs: 60_000,
  idleMs: 120_000,
  /** Times `idleMs` without an event: a server at work on a long call sends nothing but pings for minutes. */
  idlePings: 5,
  /** The answer is whole: its connection has this long to end, or is dropped. */
  answerEndMs: 1_000,
  /** Before a request is sent again: the first wait at most, any wait at most, and the longest that a server may ask for. */
  retryBaseMs: 500,
  retryMaxMs: 30_000,
  retryAfterMs: 300_000,
  /** Times that one request is sent again; of the manifest. */
  retries: 5,
  /** A manifest on stdin that does not end. */
  stdinMs: 30_000,
  /** Links that one scope target may lead through. */
  scopeLinks: 40,
  scriptBytes: 16 * 1024 * 1024,
  /** Of the text that a script's `when` looks at; a pattern's cost can grow faster than its text. */
  scriptMatchUnits: 64 * 1024,
  /** One `delay_ms` of a script. */
  scriptDelayMs: 24 * 3_600_000,
  /** What `sun_path` holds on Linux, less its NUL. */
  socketPathBytes: 107,
  /** A connect to a socket file that may be a dead Pod's. */
  socketProbeMs: 500,
  logFileBytes: 10 * 1024 * 1024,
  /** Lines that stderr has not taken yet; beyond it they are dropped and counted. */
  stderrQueueBytes: 256 * 1024,
  /** A stderr that takes nothing is tried again after this, twice as long each time, up to the second. */
  stderrRetryMinMs: 10,
  stderrRetryMaxMs: 1_000,
  /** One `systemd-notify`; then it is killed. */
  notifyMs: 2_000,
  /** What the Pod does is told to systemd no more often. */
  notifyStatusMs: 1_000,
} as const;
