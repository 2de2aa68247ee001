import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { summarizeScope } from '../core/scope-rules.ts';
import { manifestFault } from '../manifest/manifest-fault.ts';
import type { Instruction } from '../manifest/parse-manifest.ts';
import type { Clock } from '../ports/clock.ts';
import type { Files } from '../ports/files.ts';
import type { Log } from '../ports/log.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import { readAgentsMd } from '../prompt/agents-md.ts';
import { composePrompt } from '../prompt/compose-prompt.ts';
import { openLibrary } from '../prompt/library.ts';
import { parseReference, splitAsset } from '../prompt/reference.ts';
import type { AssetName, TemplateProblem, TemplateVariables } from '../prompt/template-job.ts';
import { evaluateIn } from '../prompt/template-process.ts';

/** Where prompts lie, and the program that turns templates into text. Paths are absolute. */
export type PromptSources = {
  readonly podd: string;
  readonly user: string | null;
  readonly workspace: { readonly folder: string; readonly project: string } | null;
  readonly template: string;
};

/** What only a Pod that runs can say. */
export type PromptFacts = {
  readonly cwd: string;
  readonly spool: string;
  readonly scope: ScopeView;
  readonly files: Files;
  readonly tools: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Looks at the instruction and all that it includes by a constant name. Answers the files they lie in. A problem is a
 * `manifest_invalid` that names the file and its line.
 */
export async function checkPrompt(
  sources: PromptSources,
  instruction: Instruction,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const files = new Set<string>();
  const variables = variablesAt(0, { cwd: '/', tools: [] });
  for (const part of partsOf(sources, instruction)) {
    const { loaded } = await evaluate(part, { kind: 'check', variables, signal });
    for (const name of loaded) files.add(fileOf(sources, name));
  }
  return [...files];
}

/** The system prompt of a session that has none yet. A failure is a `prompt_error`, and nothing is left of it. */
export async function renderPrompt(
  sources: PromptSources,
  instruction: Instruction,
  facts: PromptFacts,
  signal: AbortSignal,
): Promise<string> {
  const variables = variablesAt(facts.clock.now(), facts);
  const texts: string[] = [];
  try {
    for (const part of partsOf(sources, instruction)) {
      const { text } = await evaluate(part, { kind: 'render', variables, signal });
      texts.push(text);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('prompt_error', error.message, { cause: error });
  }
  const [body = '', untrusted = null] = texts;
  const agentsMd = await readAgentsMd(facts.files, facts.cwd, signal);
  for (const says of agentsMd.warnings) facts.log.warn(says);
  const { scope, spool } = facts;
  return composePrompt({
    body,
    untrusted,
    facts: {
      ...variables,
      spool,
      scopeSummary: summarizeScope(scope.own(), scope.delegated()),
    },
    agentsMd: agentsMd.text,
  });
}

type Part = {
  readonly reference: string;
  /** The layer that asks for it, as messages name it. */
  readonly layer: string;
  readonly sources: PromptSources;
};

/** A project that nobody trusts sees none of the user's prompts. */
function partsOf(
  sources: PromptSources,
  { reference, source, ofProject }: Instruction,
): readonly Part[] {
  const own: Part = { reference, layer: source ?? 'default', sources };
  if (ofProject === null) return [own];
  const { reference: asked, source: layer } = ofProject;
  return [own, { reference: asked, layer, sources: { ...sources, user: null } }];
}

type Evaluation = {
  readonly kind: 'check' | 'render';
  readonly variables: TemplateVariables;
  readonly signal: AbortSignal;
};

async function evaluate(
  { reference, layer, sources }: Part,
  { kind, variables, signal }: Evaluation,
): Promise<{ readonly text: string; readonly loaded: ReadonlySet<AssetName> }> {
  const root = parseReference(reference, null);
  const asks = `worker.instruction "${reference}"`;
  const refuse = (problems: readonly string[]): Fault =>
    manifestFault(
      layer,
      problems.map((says) => ({ source: layer, says })),
    );
  if (!root.ok) throw refuse([`${asks} ${root.error}`]);
  const library = openLibrary(sources);
  const loaded = new Set<AssetName>();
  const load = (name: AssetName, within: AbortSignal) => {
    loaded.add(name);
    return library.load(name, within);
  };
  const job = { kind, root: root.value, assets: {}, variables };
  const text = await evaluateIn(sources.template, job, load, signal);
  if (text.ok) return { text: text.value, loaded };
  throw refuse(
    text.error.map((problem) =>
      problem.asset === root.value && problem.line === null
        ? `${asks} ${problem.says}`
        : explain(sources, problem),
    ),
  );
}

function explain(sources: PromptSources, { asset, line, column, says }: TemplateProblem): string {
  const at = line === null ? '' : `:${line}${column === null ? '' : `:${column}`}`;
  return `prompt ${asset} (${fileOf(sources, asset)}${at}) ${says}`;
}

function fileOf(sources: PromptSources, name: AssetName): string {
  const { library, path } = splitAsset(name);
  const folder = library === 'workspace' ? sources.workspace?.folder : sources[library];
  return folder === undefined || folder === null ? name : join(folder, `${path}.md`);
}

function variablesAt(
  now: number,
  { cwd, tools }: { readonly cwd: string; readonly tools: readonly string[] },
): TemplateVariables {
  const datetime = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return {
    date: datetime.slice(0, 10),
    time: datetime.slice(11, 19),
    datetime,
    cwd,
    tools: tools.toSorted(),
  };
}
