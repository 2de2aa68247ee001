import { toOccupancyPoints } from '../../client/podctl/render/occupancy-points.ts';
import { toOccupancySvg } from '../../client/podctl/render/occupancy-svg.ts';
import type { MessagesBody } from '../../test/support/messages-api.ts';
import { costOf, PromptCache, withRollingMark } from '../../test/support/prompt-cache.ts';
import { LONG_WINDOW, longWork, readsAtOnce, readsInTurn, type Workload } from './cost-workload.ts';
import { byPieces, errorsOf, replaySessions, SOURCES } from './estimate-errors.ts';
import type { Bench, FigureName, Reading } from './figure.ts';
import { IdealCache } from './ideal-cache.ts';
import { playWorkload, type Sent } from './play-workload.ts';

const RUNS = 40;
const BYTES_PER_TOKEN = 4;

/** Prices of prompts, in tokens that are neither read nor written. */
type Costs = {
  readonly podd: number;
  readonly ideal: number;
  /** With one mark a request, at its end. */
  readonly rolling: number;
  /** podd's requests for summaries, and how many. */
  readonly summaries: number;
  readonly summaryRequests: number;
};

/** SPEED-12: counted, not timed, and on what was really sent. */
export async function measurePromptCost({ quick, signal }: Bench): Promise<readonly Reading[]> {
  const inTurn = readsInTurn(quick ? RUNS / 10 : RUNS);
  const long = longWork('worker');
  const whole = (workload: Workload): Promise<Costs> =>
    playWorkload(workload, false, signal, ({ sent }) => costsOf(sent));
  const sequential = await whole(inTurn);
  const parallel = await whole(readsAtOnce());
  const { fixed, worked, prunings, occupancy } = await playWorkload(
    long,
    false,
    signal,
    async ({ sent, store }) => {
      const { records } = await replaySessions(store, signal);
      const points = toOccupancyPoints(records);
      const compactions = points.filter(({ mark }) => mark === 'compacted').length;
      // The row of the table says so.
      if (records.length !== 200 || compactions !== 2)
        throw new Error(`${records.length} turns and ${compactions} compactions, not 200 and 2`);
      return {
        fixed: fixedTokens(sent[0]?.body ?? {}),
        worked: costsOf(sent),
        prunings: points.filter(({ mark }) => mark === 'pruned').length,
        occupancy: toOccupancySvg(points, LONG_WINDOW),
      };
    },
  );
  const prefix = await whole(longWork('prefix'));
  const all = [
    { workload: inTurn, costs: sequential },
    { workload: readsAtOnce(), costs: parallel },
    { workload: long, costs: worked },
  ];
  const added: number[] = [];
  for (const { workload, costs } of all) {
    const killed = await playWorkload(workload, true, signal, ({ sent }) => costsOf(sent));
    // Sums of many fractions: the last digits say nothing.
    added.push(Math.round(excess(killed) - excess(costs)));
  }
  return [
    toReading('promptSequential', sequential),
    toReading('promptParallel', parallel),
    { ...toReading('promptLong', worked, { prunings }), occupancy },
    { figure: 'promptKilled', baseline: null, podd: Math.max(...added), samples: added.length },
    { figure: 'promptFixed', baseline: null, podd: fixed, samples: 1 },
    againstRolling('rollingParallel', parallel),
    againstRolling('rollingLong', worked),
    {
      figure: 'summaries',
      baseline: worked.summaries,
      podd: prefix.summaries,
      samples: prefix.summaryRequests,
      also: { workerRequests: worked.summaryRequests },
    },
    ...(await measureEstimates(long, signal)),
  ];
}

const ESTIMATES = {
  measured: 'estimateMeasured',
  interpolated: 'estimateInterpolated',
  extrapolated: 'estimateExtrapolated',
  no_data: 'estimateNoData',
} as const satisfies Record<string, FigureName>;

/** What podd thought of each request of the work before it, against what a server then counted. */
async function measureEstimates(workload: Workload, signal: AbortSignal): Promise<Reading[]> {
  const { estimated } = await playWorkload(
    workload,
    false,
    signal,
    ({ store }) => replaySessions(store, signal),
    byPieces,
  );
  return SOURCES.flatMap((source) => {
    const errors = errorsOf(source, estimated);
    if (errors === null) return [];
    const { p95, count: samples, ...also } = errors;
    return [{ figure: ESTIMATES[source], baseline: null, podd: p95, samples, also }];
  });
}

function toReading(
  figure: FigureName,
  { podd, ideal, rolling }: Costs,
  more: Readonly<Record<string, number>> = {},
): Reading {
  return { figure, baseline: ideal, podd, samples: 1, also: { rolling, ...more } };
}

function againstRolling(figure: FigureName, { podd, rolling }: Costs): Reading {
  return { figure, baseline: rolling, podd, samples: 1 };
}

function excess({ podd, ideal }: Costs): number {
  return podd - ideal;
}

function costsOf(sent: readonly Sent[]): Costs {
  const [podd, ideal, rolling] = [new PromptCache(), new IdealCache(), new PromptCache()];
  const costs = sent.map(({ body, isCompactor }) => ({
    podd: costOf(podd.use(body)),
    ideal: costOf(ideal.use(body)),
    rolling: costOf(rolling.use(withRollingMark(body))),
    isCompactor,
  }));
  const sum = (of: (typeof costs)[number][], name: 'podd' | 'ideal' | 'rolling'): number =>
    of.reduce((total, cost) => total + cost[name], 0);
  const ofSummaries = costs.filter(({ isCompactor }) => isCompactor);
  return {
    podd: sum(costs, 'podd'),
    ideal: sum(costs, 'ideal'),
    rolling: sum(costs, 'rolling'),
    summaries: sum(ofSummaries, 'podd'),
    summaryRequests: ofSummaries.length,
  };
}

/** System prompt and tools, with all their marks, as they are sent. */
function fixedTokens({ system = [], tools = [] }: MessagesBody): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify([system, tools])) / BYTES_PER_TOKEN);
}
