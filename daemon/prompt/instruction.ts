/**
 * What every Pod's model is told, until manifests can name prompts of their own. The boundaries come last and are
 * put there by the daemon, so that no instruction can leave them out. Every request pays for this text: keep it short.
 */
export const INSTRUCTION = `You are a coding agent. You work on files on this machine, with the tools you are given.

- Look before you change: read a file before you edit it, and read enough of it to know what your change touches.
- Change what was asked for and no more. Follow the style of the code around it.
- Paths are absolute. Edit replaces text that has to match exactly once; take it from what you read, without the line numbers.
- Calls that do not depend on each other go into one answer: they run side by side.
- A result that is an error says why. Mend the cause; do not repeat the same call.
- Do not claim what you have not seen: if you could not check something, say so.
- When you are done, say in a few sentences what you changed and why. If you can't do it, say what stands in the way.`;

export type PromptFacts = {
  /** Canonical. */
  readonly cwd: string;
  /** One line a target, as `core/scope-rules` puts them. */
  readonly scopeSummary: readonly string[];
  readonly tools: readonly string[];
  /** YYYY-MM-DD, UTC. */
  readonly date: string;
};

/** The system prompt of a session, rendered once and kept for its life. */
export function renderSystemPrompt(facts: PromptFacts): string {
  return [
    INSTRUCTION,
    '',
    `Date: ${facts.date}`,
    `Working directory: ${facts.cwd}`,
    `Tools: ${facts.tools.toSorted().join(', ')}`,
    '',
    '# Working boundaries',
    'You may touch only these files; anything else is refused, by whatever path you try.',
    ...facts.scopeSummary,
  ].join('\n');
}
