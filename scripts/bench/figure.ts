export const SPEED_IDS = ['SPEED-1', 'SPEED-2', 'SPEED-3', 'SPEED-4', 'SPEED-7'] as const;
export type SpeedId = (typeof SPEED_IDS)[number];

/** What one row of the table is about. */
export type Figure = {
  readonly id: SpeedId;
  readonly what: string;
  readonly unit: 'ms' | 'MB';
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
