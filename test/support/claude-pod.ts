import type { ModelServer } from './model-server.ts';
import { TempPod, type TempPodOptions } from './temp-pod.ts';

export const TEST_KEY = 'test-key-0123456789abcdef';

/** Overlay of a Pod whose Claude is a loopback server. */
export function claudeAtUrl(url: string, model = 'claude-test'): string {
  return `provider = { kind = "anthropic", model = "${model}", base_url = "${url}" }`;
}

/** A Pod of the built daemon that asks `server`; `overlays` are TOML. */
export async function claudePod(
  server: ModelServer,
  overlays: readonly string[] = [],
  options: Partial<TempPodOptions> = {},
): Promise<TempPod> {
  const all = [claudeAtUrl(await server.listen()), ...overlays];
  return new TempPod({
    script: 'steps = []',
    args: all.flatMap((overlay) => ['--overlay', overlay]),
    ...options,
    env: { PODD_API_KEY_ANTHROPIC: TEST_KEY, ...options.env },
  });
}
