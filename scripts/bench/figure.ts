export const SPEED_IDS = [
  'SPEED-1',
  'SPEED-2',
  'SPEED-3',
  'SPEED-4',
  'SPEED-7',
  'SPEED-12',
] as const;
export type SpeedId = (typeof SPEED_IDS)[number];

/** What one row of the table is about. */
export type Figure = {
  readonly id: SpeedId;
  readonly what: string;
  readonly unit: 'ms' | 'MB' | 'tokens' | '%';
  /** What is held against the target: podd's value divided by the baseline's, or podd's value itself. */
  readonly measure: 'ratio' | 'value';
  /** At most this. Null: it is told, and nothing is asked of it. */
  readonly target: number | null;
};

export const FIGURES = {
  startFresh: {
    id: 'SPEED-1',
    what: 'start to ready line, fresh',
    unit: 'ms',
    measure: 'ratio',
    target: 2,
  },
  startResumed: {
    id: 'SPEED-1',
    what: 'start to ready line, session of 40 entries',
    unit: 'ms',
    measure: 'ratio',
    target: 2,
  },
  idleResident: {
    id: 'SPEED-2',
    what: 'resident memory, idle',
    unit: 'MB',
    measure: 'ratio',
    target: 1.2,
  },
  fiftyLargest: {
    id: 'SPEED-2',
    what: 'private memory, largest of 50 Pods',
    unit: 'MB',
    measure: 'value',
    target: 20,
  },
  fiftyMedian: {
    id: 'SPEED-2',
    what: 'private memory, median of 50 Pods',
    unit: 'MB',
    measure: 'value',
    target: 20,
  },
  usedResident: {
    id: 'SPEED-2',
    what: 'resident memory after 3 runs with Claude',
    unit: 'MB',
    measure: 'ratio',
    target: null,
  },
  warmRun: {
    id: 'SPEED-3',
    what: 'warm run without tools, less server time',
    unit: 'ms',
    measure: 'ratio',
    target: 1.15,
  },
  toolTurn: {
    id: 'SPEED-4',
    what: 'one turn of a loop of 50 tool calls, less server time',
    unit: 'ms',
    measure: 'ratio',
    target: 1.3,
  },
  append: {
    id: 'SPEED-7',
    what: 'durable append',
    unit: 'ms',
    measure: 'ratio',
    target: 1.3,
  },
  promptSequential: {
    id: 'SPEED-12',
    what: 'prompt cost, 40 runs of 5 reads, one after the other',
    unit: 'tokens',
    measure: 'ratio',
    target: 1.01,
  },
  promptParallel: {
    id: 'SPEED-12',
    what: 'prompt cost, 2 turns of 12 reads at once',
    unit: 'tokens',
    measure: 'ratio',
    target: 1.01,
  },
  promptLong: {
    id: 'SPEED-12',
    what: 'prompt cost, 200 turns, pruned and compacted twice',
    unit: 'tokens',
    measure: 'ratio',
    target: 1.1,
  },
  promptKilled: {
    id: 'SPEED-12',
    what: 'what a kill -9 and a Resume add to that',
    unit: 'tokens',
    measure: 'value',
    target: 0,
  },
  promptFixed: {
    id: 'SPEED-12',
    what: 'system prompt and tools, bytes / 4',
    unit: 'tokens',
    measure: 'value',
    target: 2400,
  },
  rollingParallel: {
    id: 'SPEED-12',
    what: '2 turns of 12 reads, against one rolling mark',
    unit: 'tokens',
    measure: 'ratio',
    target: null,
  },
  rollingLong: {
    id: 'SPEED-12',
    what: '200 turns, against one rolling mark',
    unit: 'tokens',
    measure: 'ratio',
    target: null,
  },
  summaries: {
    id: 'SPEED-12',
    what: 'summaries, prefix against worker',
    unit: 'tokens',
    measure: 'ratio',
    target: null,
  },
  estimateMeasured: {
    id: 'SPEED-12',
    what: 'error of estimates, measured, p95',
    unit: '%',
    measure: 'value',
    target: null,
  },
  estimateInterpolated: {
    id: 'SPEED-12',
    what: 'error of estimates, interpolated, p95',
    unit: '%',
    measure: 'value',
    target: null,
  },
  estimateExtrapolated: {
    id: 'SPEED-12',
    what: 'error of estimates, extrapolated, p95',
    unit: '%',
    measure: 'value',
    target: null,
  },
  estimateNoData: {
    id: 'SPEED-12',
    what: 'error of estimates, no_data, p95',
    unit: '%',
    measure: 'value',
    target: null,
  },
} as const satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

/** What one round measured for one figure, each a median of its samples. */
export type Reading = {
  readonly figure: FigureName;
  readonly baseline: number | null;
  readonly podd: number;
  readonly samples: number;
  /** Other medians, for whoever reads the JSON. */
  readonly also?: Readonly<Record<string, number>>;
  /** An SVG of how full the window was. */
  readonly occupancy?: string;
};

/** What a round is measured with. */
export type Bench = {
  /** Fewer samples. */
  readonly quick: boolean;
  readonly signal: AbortSignal;
};

export type Row = {
  readonly figure: Figure;
  readonly readings: readonly Reading[];
  readonly worst: Reading;
  /** Of the worst: what is held against the target. */
  readonly value: number;
  /** All rounds are within the target. Null: there is none. */
  readonly reached: boolean | null;
};

/** Pure. The worst round speaks for a figure. */
export function toRow(name: FigureName, readings: readonly [Reading, ...Reading[]]): Row {
  const figure: Figure = FIGURES[name];
  const worst = readings.reduce((a, b) => (valueOf(figure, b) > valueOf(figure, a) ? b : a));
  const value = valueOf(figure, worst);
  const reached = figure.target === null ? null : value <= figure.target;
  return { figure, readings, worst, value, reached };
}

export function valueOf({ measure }: Figure, { baseline, podd }: Reading): number {
  if (measure === 'value') return podd;
  return baseline === null ? Number.NaN : podd / baseline;
}
