import { stringify } from 'smol-toml';
import type { ScopeRules } from '../../protocol/scope.ts';
import type { Manifest } from './parse-manifest.ts';

/** The manifest in force, all paths resolved, as TOML: what the runtime folder shows. It has no secrets to leave out. */
export function renderManifest(manifest: Manifest, scope: ScopeRules): string {
  const { pod, provider, maxTurns, toolOutput } = manifest;
  const perTool = Object.fromEntries(toolOutput.perTool);
  return stringify({
    pod: { name: pod.name },
    provider: {
      kind: provider.kind,
      script: provider.scriptPath,
      ...(provider.contextWindow === null ? {} : { context_window: provider.contextWindow }),
    },
    worker: {
      ...(maxTurns === null ? {} : { max_turns: maxTurns }),
      tool_output: { default_max_bytes: toolOutput.defaultBytesMax, per_tool: perTool },
    },
    scope: {
      allow: scope.allow.map((rule) => ({ ...rule })),
      ...(scope.deny.length === 0 ? {} : { deny: scope.deny.map((rule) => ({ ...rule })) }),
    },
  });
}
