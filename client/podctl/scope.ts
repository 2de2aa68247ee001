import { openLivenessCheck } from '../holder-liveness.ts';
import { readRegistry } from '../registry.ts';
import { planOwners, renderScope, type Owner } from './render/scope-text.ts';
import { styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type ScopeOptions = { readonly format: 'text' | 'json' };

/** Shows who owns what, as the registry says it at this moment. Nothing is changed by it. */
export async function scopeCommand(shell: Shell, { format }: ScopeOptions): Promise<number> {
  const registry = await readRegistry(shell);
  const rows = registry.table?.allocations ?? [];
  const check = await openLivenessCheck();
  const verdicts = new Map(
    await Promise.all(rows.map(async (row) => [row, await check(row)] as const)),
  );
  const owners = planOwners(rows, (row) => verdicts.get(row) ?? 'unknown');
  const text =
    format === 'json'
      ? `${JSON.stringify({
          registry: registry.path,
          moved: registry.moved,
          rev: registry.table?.rev ?? 0,
          epoch: registry.table?.epoch ?? 0,
          allocations: owners.map(toJson),
        })}\n`
      : renderScope({ registry, owners, now: Date.now() }, styleFor(shell.out, shell.env));
  shell.out.write(text);
  return EXIT.finished;
}

/** Nobody needs the hash of a token to know who owns what. */
function toJson({ row, liveness, delegated }: Owner): unknown {
  const { tokenHash: _, ...told } = row;
  return { ...told, liveness, delegated: delegated.map(({ pod, rule }) => ({ pod, ...rule })) };
}
