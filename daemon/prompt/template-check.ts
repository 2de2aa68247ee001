import nunjucks, { type Node } from 'nunjucks';
import { parseReference } from './reference.ts';
import type { AssetName, TemplateProblem } from './template-job.ts';
import { FORBIDDEN_KEYS, GLOBALS } from './template-language.ts';
import {
  childrenOf,
  findMisshapes,
  hint,
  isNode,
  namesOfFor,
  nodesOf,
  parametersOf,
  short,
} from './template-shape.ts';
import { findUnclosed } from './template-tags.ts';

/** What one template says of itself, before anything of it runs. */
export type CheckedTemplate = {
  readonly problems: readonly TemplateProblem[];
  /** By a constant name. */
  readonly includes: readonly (Place & { readonly asset: AssetName })[];
  readonly bound: ReadonlySet<string>;
  readonly used: readonly (Place & { readonly name: string })[];
};

type Place = { readonly line: number; readonly column: number };

/** Pure. Reads the tree of a template: what it is not allowed to say, what it includes, which names it binds and uses. */
export function checkTemplate(asset: AssetName, text: string): CheckedTemplate {
  const found: Found = { asset, problems: [], includes: [], bound: new Set(), used: [] };
  try {
    walk(nunjucks.parser.parse(text), found);
    return found;
  } catch (error) {
    return { ...found, problems: [syntaxProblem(asset, text, error)] };
  }
}

/** Names that nothing binds, with the nearest that something does. */
export function unknownNames(
  asset: AssetName,
  { used }: CheckedTemplate,
  known: ReadonlySet<string>,
): TemplateProblem[] {
  return used
    .filter(({ name }) => !known.has(name))
    .map(({ name, line, column }) => ({
      asset,
      line,
      column,
      says: `${short(name)} is not defined${hint(name, [...known])}`,
    }));
}

type Found = {
  readonly asset: AssetName;
  readonly problems: TemplateProblem[];
  readonly includes: (Place & { asset: AssetName })[];
  readonly bound: Set<string>;
  readonly used: (Place & { name: string })[];
};

function walk(node: Node, found: Found): void {
  const misshapes = findMisshapes(node);
  for (const { at, says } of misshapes) tell(found, at, says);
  if (misshapes.length === 0) visit(node, found);
  const { typename } = node;
  // By its own keys, not by the fields that it lists: the body of a `set` block is none of them.
  for (const [field, value] of Object.entries(node)) {
    if (isNode(value) && isWordOf(typename, field)) walkArguments(value, found);
    else
      for (const child of Array.isArray(value) ? nodesOf(value) : nodesOf([value]))
        walk(child, found);
  }
}

/** Words that are parsed like variables and are none: of a filter, of a test, a key. */
function isWordOf(typename: string, field: string): boolean {
  return (
    (typename === 'Filter' && field === 'name') ||
    (typename === 'Is' && field === 'right') ||
    (typename === 'Pair' && field === 'key')
  );
}

/** `divisibleby(n)`: the test is a word, what it is given is not. */
function walkArguments(word: Node, found: Found): void {
  if (word.typename === 'FunCall') for (const child of childrenOf(word['args'])) walk(child, found);
}

function tell({ asset, problems }: Found, at: Node, says: string): void {
  problems.push({ asset, ...placeOf(at), says });
}

function visit(node: Node, found: Found): void {
  switch (node.typename) {
    case 'Symbol':
      found.used.push({ name: String(node['value']), ...placeOf(node) });
      return;
    case 'LookupVal': {
      const key = node['val'];
      if (isNode(key) && key.typename === 'Literal' && FORBIDDEN_KEYS.has(String(key['value'])))
        tell(found, node, `.${String(key['value'])} is out of reach of a prompt`);
      return;
    }
    case 'Include':
      if (node['ignoreMissing'] === true)
        tell(found, node, 'ignore missing is not allowed: what is included has to exist');
      include(node, found);
      return;
    case 'Extends':
      include(node, found);
      return;
    case 'Import':
      bind(nodesOf([node['target']]), found);
      include(node, found);
      return;
    case 'FromImport':
      bind(
        childrenOf(node['names']).flatMap((one) =>
          one.typename === 'Pair' ? nodesOf([one['value']]) : one,
        ),
        found,
      );
      include(node, found);
      return;
    case 'For':
      bind(namesOfFor(node), found);
      found.bound.add('loop');
      return;
    case 'Set':
      bind(nodesOf(node['targets']), found);
      return;
    case 'Macro':
    case 'Caller':
      bind([...nodesOf([node.name]), ...parametersOf(node)], found);
      found.bound.add('caller');
      return;
    case 'Block':
      bind(nodesOf([node.name]), found);
      found.bound.add('super');
      return;
    default:
      return;
  }
}

function bind(names: readonly Node[], found: Found): void {
  for (const name of names) found.bound.add(String(name['value']));
}

function include(node: Node, found: Found): void {
  const { template } = node;
  if (!isNode(template) || template.typename !== 'Literal') return;
  const at = placeOf(template);
  const reference = String(template['value']);
  const parsed = parseReference(reference, found.asset);
  if (parsed.ok) found.includes.push({ asset: parsed.value, ...at });
  else tell(found, template, `"${short(reference)}" ${parsed.error}`);
}

function placeOf(node: Node): Place {
  return { line: node.lineno + 1, column: node.colno + 1 };
}

function syntaxProblem(asset: AssetName, text: string, error: unknown): TemplateProblem {
  const open = findUnclosed(text);
  if (open !== null) return { asset, ...open };
  // The stack of a parser, or of ours, that follows what is nested.
  if (error instanceof RangeError)
    return { asset, line: null, column: null, says: 'is nested too deep' };
  const { lineno, colno } = error as { readonly lineno?: unknown; readonly colno?: unknown };
  return {
    asset,
    line: typeof lineno === 'number' ? lineno : null,
    column: typeof colno === 'number' ? colno : null,
    says: `is not understood: ${shortReason(error)}`,
  };
}

/** The last line of what the engine says: the others are where, with its own name for the file. */
export function shortReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const last = message.trim().split('\n').at(-1)?.trim() ?? '';
  return last.replace(/^(?:Template render error: |Error: |Fault: )+/, '').slice(0, REASON_MAX);
}

const REASON_MAX = 300;

/** What every template may use without binding it. */
export function namesOf(variables: object): Set<string> {
  return new Set([...Object.keys(variables), ...GLOBALS]);
}
