/**
 * The engine writes names as they stand into the code that it makes, and its parser takes a text, or any expression,
 * where a name belongs. So each place of a name is looked at here: by the check of a template, and once more by the
 * locked engine for every node that it compiles.
 */
import type { Node } from 'nunjucks';
import { nearest } from '../core/nearest.ts';
import { FILTERS, FORBIDDEN_KEYS, NODES, TESTS } from './template-language.ts';

export type Misshape = { readonly at: Node; readonly says: string };

/** Pure. What is wrong with this node itself; not with those in it, unless they stand for names. */
export function findMisshapes(node: Node): Misshape[] {
  if (!NODES.has(node.typename))
    return [{ at: node, says: `${node.typename} is not part of podd's templates` }];
  switch (node.typename) {
    case 'Literal':
      return isValue(node['value'])
        ? []
        : [{ at: node, says: 'regular expressions are not allowed in a prompt' }];
    case 'Symbol':
      return badName(node);
    case 'Set':
      return nodesOf(node['targets']).flatMap(badName);
    case 'For':
      return namesOfFor(node).flatMap(badName);
    case 'Macro':
    case 'Caller':
      return [...nodesOf([node.name]), ...parametersOf(node)].flatMap(badName);
    case 'Import':
      return nodesOf([node['target']]).flatMap(badName);
    case 'FromImport':
      return childrenOf(node['names']).flatMap((one) =>
        one.typename === 'Pair'
          ? nodesOf([one['key'], one['value']]).flatMap(badName)
          : badName(one),
      );
    case 'Block':
      return nodesOf([node.name]).flatMap(badName);
    case 'Super':
      return nodesOf([node['blockName'], node['symbol']]).flatMap(badName);
    case 'Filter':
      return badFilter(node);
    case 'Is':
      return badTest(node);
    case 'Pair':
      return badKey(node);
    default:
      return [];
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'typename' in value;
}

/** What a `for` binds, as it stands. */
export function namesOfFor(node: Node): readonly Node[] {
  const { name } = node;
  return isNode(name) && name.typename === 'Array' ? childrenOf(name) : nodesOf([name]);
}

/** What a macro, or the block of a `call`, binds, as it stands. */
export function parametersOf(node: Node): readonly Node[] {
  return childrenOf(node['args']).flatMap((one) =>
    one.typename === 'KeywordArgs'
      ? childrenOf(one).flatMap((pair) => nodesOf([pair['key']]))
      : one,
  );
}

export function childrenOf(value: unknown): readonly Node[] {
  return isNode(value) ? nodesOf(value.children) : [];
}

export function nodesOf(values: unknown): readonly Node[] {
  return Array.isArray(values) ? values.filter(isNode) : [];
}

/** Long ones are cut: a message is to be read. */
export function short(word: string): string {
  return word.length > WORD_UNITS_MAX ? `${word.slice(0, WORD_UNITS_MAX)}…` : word;
}

export function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

const WORD_UNITS_MAX = 60;
const WORD = /^[A-Za-z_]\w*$/;

function isValue(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function badName(node: Node): Misshape[] {
  const word = String(node['value']);
  if (node.typename !== 'Symbol') return [{ at: node, says: 'a name is expected here, a word' }];
  if (!WORD.test(word))
    return [{ at: node, says: `${short(word)} is no name: a word is expected` }];
  return word in Object.prototype
    ? [{ at: node, says: `${word} is out of reach of a prompt` }]
    : [];
}

function badFilter(node: Node): Misshape[] {
  const { name } = node;
  const word = isNode(name) && name.typename === 'Symbol' ? String(name['value']) : '';
  if (FILTERS.has(word)) return [];
  return [{ at: node, says: `there is no filter ${short(word)}${hint(word, [...FILTERS])}` }];
}

function badTest(node: Node): Misshape[] {
  const { right } = node;
  const call = isNode(right) && right.typename === 'FunCall' ? right : null;
  const named = call === null ? right : call.name;
  const at = isNode(named) ? named : node;
  // `none` is a value by itself.
  const isWord = at.typename === 'Symbol' || (at.typename === 'Literal' && at['value'] === null);
  const word = isWord ? String(at['value']) : '';
  if (!TESTS.has(word))
    return [{ at, says: `there is no test ${short(word)}${hint(word, [...TESTS])}` }];
  // The engine puts the arguments of a test side by side, with no comma: the second would call the first.
  return childrenOf(call?.['args']).length > 1
    ? [{ at, says: `the test ${word} takes at most one argument` }]
    : [];
}

function badKey(node: Node): Misshape[] {
  const { key } = node;
  if (!isNode(key) || !(key.typename === 'Symbol' || typeof key['value'] === 'string'))
    return [{ at: node, says: 'a key is a word or a text' }];
  const word = String(key['value']);
  return FORBIDDEN_KEYS.has(word) ? [{ at: key, says: `${word} is out of reach of a prompt` }] : [];
}
