/**
 * What the daemon and its short-lived template process say to each other, one JSON line each way. The process sees
 * texts and values only: it opens no file, so a template that breaks out of its engine finds nothing to open them by.
 */

/** `$podd/default`, `$user/parts/style`: a library and a path in it, without its ending. */
export type AssetName = string;

export type Asset = { readonly text: string } | { readonly says: string };

export type TemplateJob = {
  readonly kind: 'check' | 'render';
  readonly root: AssetName;
  /** The texts known so far, by name; `says` is why one can't be had, as the rest of a sentence. What else is needed is asked for. */
  readonly assets: Readonly<Record<AssetName, Asset>>;
  readonly variables: TemplateVariables;
};

export type TemplateVariables = {
  /** YYYY-MM-DD, UTC. */
  readonly date: string;
  /** HH:MM:SS, UTC. */
  readonly time: string;
  /** RFC 3339 in seconds, UTC. */
  readonly datetime: string;
  /** Canonical. */
  readonly cwd: string;
  /** Sorted. */
  readonly tools: readonly string[];
};

export type TemplateProblem = {
  readonly asset: AssetName;
  /** From 1; null where the engine tells none. */
  readonly line: number | null;
  readonly column: number | null;
  readonly says: string;
};

export type TemplateReply =
  /** `text` is empty for a check. */
  | { readonly kind: 'done'; readonly text: string }
  /** The same job again, with these assets too. */
  | { readonly kind: 'needs'; readonly assets: readonly AssetName[] }
  | { readonly kind: 'refused'; readonly problems: readonly TemplateProblem[] };
