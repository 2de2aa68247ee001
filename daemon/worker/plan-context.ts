import type { Item } from '../../protocol/items.ts';
import { itemBytes } from '../core/item-bytes.ts';
import { measuredRate, occupancyOf } from '../core/occupancy.ts';
import { planPrune } from '../core/prune-plan.ts';
import { SYNCED, type Unsynced } from './unsynced.ts';
import type { WorkerPorts } from './worker-ports.ts';

export type ContextPlan =
  | { readonly kind: 'send'; readonly unsynced: Unsynced }
  | { readonly kind: 'yield' };

/**
 * Before a request: moves the prune mark when that is worth it, then asks whether what would be sent is small enough
 * (LOOP-8). Where it yields, all that the run did is on disk.
 */
export async function planContext(ports: WorkerPorts, unsynced: Unsynced): Promise<ContextPlan> {
  const left = await prune(ports, unsynced);
  const occupancy = occupancyOf(ports.journal.session(), bytesOf(left.items));
  if (ports.context.check(occupancy) === 'send') return { kind: 'send', unsynced: left };
  await left.durable;
  return { kind: 'yield' };
}

async function prune(
  { context, journal, clock, log }: WorkerPorts,
  unsynced: Unsynced,
): Promise<Unsynced> {
  if (context.prune === null) return unsynced;
  const session = journal.session();
  const { items, sizes, pruneMark: mark } = session;
  const tokensPerByte = measuredRate(session);
  const index = planPrune({ items, sizes, mark, tokensPerByte }, context.prune);
  if (index === null) return unsynced;
  // On disk first: a request that was sent with it is sent with it again after a crash.
  await journal.commit({ session: [{ kind: 'prune_marked', at: clock.now(), index }] });
  log.info('old tool results are left out of requests', { before: index, was: mark });
  return SYNCED;
}

export function bytesOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + itemBytes(item), 0);
}
