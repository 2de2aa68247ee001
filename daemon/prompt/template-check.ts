import nunjucks, { type Node } from 'nunjucks';
import { nearest } from '../core/nearest.ts';
import { FORBIDDEN_KEYS } from './template-lock.ts';
import { FILTERS, GLOBALS, TESTS } from './template-language.ts';
import type { AssetName, TemplateProblem } from './template-job.ts';
import { parseReference } from './reference.ts';
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

/**
 * Pure. Reads the tree of a template: what it is not allowed to say, what it includes, which names it binds and uses.
 * Names become part of the code that the engine makes, so each has to be a plain word.
 */
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
  visit(node, found);
  for (const field of node.fields) {
    const value = node[field];
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (isNode(child) && !(field === 'name' && node.typename === 'Filter')) walk(child, found);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'typename' in value;
}

/** What the language of prompts has; anything else of the engine is refused. */
const NODES: ReadonlySet<string> = new Set([
  ...['Root', 'NodeList', 'Value', 'Literal', 'Symbol', 'Group', 'Array', 'Pair', 'Dict'],
  ...['Output', 'TemplateData', 'LookupVal', 'If', 'InlineIf', 'For', 'Macro', 'Caller'],
  ...['Import', 'FromImport', 'FunCall', 'Filter', 'KeywordArgs', 'Block', 'Super', 'Extends'],
  ...['Include', 'Set', 'Switch', 'Case', 'Capture', 'In', 'Is', 'Or', 'And', 'Not', 'Add'],
  ...['Concat', 'Sub', 'Mul', 'Div', 'FloorDiv', 'Mod', 'Pow', 'Neg', 'Pos', 'Compare'],
  'CompareOperand',
]);

function visit(node: Node, found: Found): void {
  const { typename } = node;
  const no = (says: string, at: Node = node): void => {
    found.problems.push({ asset: found.asset, ...placeOf(at), says });
  };
  if (!NODES.has(typename)) no(`${typename} is not part of podd's templates`);
  switch (typename) {
    case 'Literal':
      if (node['value'] instanceof RegExp) no('regular expressions are not allowed in a prompt');
      return;
    case 'Symbol':
      useName(node, found);
      return;
    case 'LookupVal': {
      const key = node['val'];
      if (isNode(key) && key.typename === 'Literal' && FORBIDDEN_KEYS.has(String(key['value'])))
        no(`.${String(key['value'])} is out of reach of a prompt`);
      return;
    }
    case 'Filter': {
      const { name } = node;
      const word = isNode(name) ? String(name['value']) : '';
      if (!FILTERS.has(word)) no(`there is no filter ${short(word)}${hint(word, [...FILTERS])}`);
      return;
    }
    case 'Is': {
      const right = node['right'];
      const named = isNode(right) && right.typename === 'FunCall' ? right['name'] : right;
      const word = isNode(named) ? String(named['value']) : '';
      if (!TESTS.has(word))
        no(
          `there is no test ${short(word)}${hint(word, [...TESTS])}`,
          isNode(named) ? named : node,
        );
      // It is no variable, though it is parsed like one.
      found.bound.add(word);
      return;
    }
    case 'Include':
      if (node['ignoreMissing'] === true)
        no('ignore missing is not allowed: what is included has to exist');
      include(node, found);
      return;
    case 'Import':
      bind(node['target'], found);
      include(node, found);
      return;
    case 'FromImport':
      bindImported(node, found);
      include(node, found);
      return;
    case 'Extends':
      include(node, found);
      return;
    case 'For':
      bind(node['name'], found);
      found.bound.add('loop');
      return;
    case 'Set':
      for (const target of node['targets'] as readonly unknown[]) bind(target, found);
      return;
    case 'Macro':
    case 'Caller':
      bind(node['name'], found);
      bind(node['args'], found);
      found.bound.add('caller');
      return;
    case 'Block': {
      const name = node['name'];
      bind(name, found);
      if (isNode(name) && !WORD.test(String(name['value']))) no('a block’s name has to be a word');
      found.bound.add('super');
      return;
    }
    case 'KeywordArgs':
    case 'Dict':
      for (const pair of node.children ?? []) keyOf(pair, typename === 'KeywordArgs', found);
      return;
    default:
      return;
  }
}

const WORD = /^[A-Za-z_]\w*$/;

function useName(node: Node, found: Found): void {
  const name = String(node['value']);
  const at = placeOf(node);
  if (!WORD.test(name))
    found.problems.push({
      asset: found.asset,
      ...at,
      says: `${short(name)} is no name: a word is expected`,
    });
  else if (name in Object.prototype)
    found.problems.push({ asset: found.asset, ...at, says: `${name} is out of reach of a prompt` });
  else found.used.push({ name, ...at });
}

/** Keys of a dictionary are values, those of a call are names, though both are parsed like variables. */
function keyOf(pair: Node, isName: boolean, found: Found): void {
  const key = pair['key'];
  if (!isNode(key)) return;
  const word = String(key['value']);
  if (FORBIDDEN_KEYS.has(word))
    found.problems.push({
      asset: found.asset,
      ...placeOf(key),
      says: `${word} is out of reach of a prompt`,
    });
  if (isName || key.typename === 'Symbol') found.bound.add(word);
}

function bind(target: unknown, found: Found): void {
  if (!isNode(target)) return;
  if (target.typename === 'Symbol') found.bound.add(String(target['value']));
  for (const child of target.children ?? []) {
    if (child.typename === 'Pair') bind(child['key'], found);
    else if (child.typename === 'KeywordArgs')
      for (const pair of child.children ?? []) bind(pair['key'], found);
    else bind(child, found);
  }
}

function bindImported(node: Node, found: Found): void {
  const names = node['names'];
  if (!isNode(names)) return;
  for (const child of names.children ?? []) {
    if (child.typename !== 'Pair') bind(child, found);
    else {
      bind(child['key'], found);
      bind(child['value'], found);
    }
  }
}

function include(node: Node, found: Found): void {
  const { template } = node;
  if (!isNode(template) || template.typename !== 'Literal') return;
  const at = placeOf(template);
  const reference = String(template['value']);
  const parsed = parseReference(reference, found.asset);
  if (parsed.ok) found.includes.push({ asset: parsed.value, ...at });
  else found.problems.push({ asset: found.asset, ...at, says: `"${reference}" ${parsed.error}` });
}

function placeOf(node: Node): Place {
  return { line: node.lineno + 1, column: node.colno + 1 };
}

function short(word: string): string {
  return word.length > WORD_UNITS_MAX ? `${word.slice(0, WORD_UNITS_MAX)}…` : word;
}

const WORD_UNITS_MAX = 60;

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
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
  return last.replace(/^(?:Template render error: |Error: )+/, '').slice(0, REASON_MAX);
}

const REASON_MAX = 300;

/** What every template may use without binding it. */
export function namesOf(variables: object): Set<string> {
  return new Set([...Object.keys(variables), ...GLOBALS]);
}
