import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Status } from '../../protocol/status.ts';
import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import type { PodClient } from '../pod-client.ts';
import { toOccupancyPoints, type UsageRecord } from './render/occupancy-points.ts';
import { toOccupancySvg } from './render/occupancy-svg.ts';
import { showName, styleFor } from './render/style.ts';
import { renderUsage } from './render/usage-table.ts';
import { EXIT, type Shell } from './shell.ts';

export type UsageOptions = {
  readonly pod: string;
  readonly session: string | undefined;
  /** Where a plot is written. */
  readonly svg: string | undefined;
  readonly format: 'text' | 'json';
};

const LIMITS = { deadlineMs: CLIENT_LIMITS.answerMs };
/** As many as a page may have. */
const PAGE = 500;

/** Prints what each model request of a session cost: as a table, or each as JSON on a line. */
export async function usageCommand(shell: Shell, options: UsageOptions): Promise<number> {
  const { out, env } = shell;
  const { session, svg, format } = options;
  await using client = await connect(findSocket(options.pod, shell));
  const status = await client.request('GetStatus', {}, LIMITS);
  const records = await readAll(client, session, status);
  if (format === 'text') out.write(renderUsage(records, styleFor(out, env)));
  else
    for (const record of records) {
      out.write(`${JSON.stringify(record)}\n`);
      await out.drained();
    }
  if (svg === undefined) return EXIT.finished;
  return await writePlot(
    shell,
    svg,
    toOccupancySvg(toOccupancyPoints(records), status.occupancy.limit),
  );
}

async function readAll(
  client: PodClient,
  session: string | undefined,
  { sessionId: live, headHash }: Status,
): Promise<UsageRecord[]> {
  const records: UsageRecord[] = [];
  // Before its first run there is no log to read.
  if (session === undefined && headHash === null) return records;
  // All pages are of one session, also if the Pod goes over to another between two of them.
  const sessionId = session ?? live;
  for (let isWhole = false; !isWhole; ) {
    const params = { sessionId, from: records.length, limit: PAGE };
    const page = await client.request('GetUsage', params, LIMITS);
    records.push(...page.records);
    isWhole = page.records.length < PAGE;
  }
  return records;
}

async function writePlot({ cwd, err }: Shell, file: string, svg: string): Promise<number> {
  try {
    await writeFile(resolve(cwd, file), svg);
    return EXIT.finished;
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    err.write(`podctl: ${showName(file)} can't be written: ${showName(why)}\n`);
    return EXIT.failed;
  }
}
