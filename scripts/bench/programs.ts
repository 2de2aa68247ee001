import { fileURLToPath } from 'node:url';

/** Seen from a bundle, which lies as deep as this file. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PODD = fileURLToPath(new URL('../../dist/podd.js', import.meta.url));

/** A program of this folder, bundled beside the one that asks. */
export function program(name: 'bare-node' | 'claude-server' | 'sdk-loop'): string {
  return fileURLToPath(new URL(`./${name}-main.mjs`, import.meta.url));
}
