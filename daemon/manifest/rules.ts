import { formatPath, knownKeys, type SchemaProblem, sayUnknown } from '../core/schema-problems.ts';
import type { Table } from './layers.ts';
import { LATER_KEYS, ManifestTable } from './schema.ts';

/** What the schema can't say by itself: keys of later versions, and keys that need one another. */

const NOT_YET = 'is not supported by this version of podd yet';

/** Tells a key of a later version from a typing error, section by section and key by key. */
export function explainUnknown(
  problem: SchemaProblem,
  table: Readonly<Record<string, unknown>>,
): SchemaProblem[] {
  // The compactor's provider has the keys of the Pod's.
  const isOfCompactor = problem.path[0] === 'compaction' && problem.path[1] === 'provider';
  const path = isOfCompactor ? problem.path.slice(1) : problem.path;
  if (path.length > 2) return [problem];
  const [section, key] = path.map(String);
  if (section === undefined) return [problem];
  const inSection = LATER_KEYS.filter((later) => later.startsWith(`${section}.`)).map((later) =>
    later.slice(section.length + 1),
  );
  if (key !== undefined) {
    if (isLater(inSection, key)) return [{ ...problem, says: NOT_YET }];
    const known = [...knownKeys(ManifestTable, [section]), ...inSection];
    return [{ ...problem, says: sayUnknown(key, known) }];
  }
  if (LATER_KEYS.includes(section)) return [{ ...problem, says: NOT_YET }];
  if (inSection.length === 0) return [{ ...problem, says: sayUnknown(section, sections()) }];
  const body = table[section];
  // A section that is not built yet: each of its keys is named, so that a misspelt one shows too.
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return [{ ...problem, says: NOT_YET }];
  const keys = Object.keys(body);
  if (keys.length === 0) return [{ ...problem, says: NOT_YET }];
  return keys.map((name) => ({
    path: [section, name],
    kind: 'unknown',
    says: isLater(inSection, name) ? NOT_YET : sayUnknown(name, inSection),
  }));
}

function isLater(inSection: readonly string[], key: string): boolean {
  return inSection.includes(key) || inSection.includes('*');
}

function sections(): string[] {
  const later = LATER_KEYS.map((key) => key.split('.')[0] ?? key);
  return [...new Set([...knownKeys(ManifestTable, []), ...later])];
}

/** Keys that need one another; `table` is what all layers make together. */
export function crossProblems(table: Table): SchemaProblem[] {
  const ofCompactor = asTable(table['compaction'])['provider'];
  return [
    ...providerProblems(['provider'], asTable(table['provider'])),
    ...providerProblems(['compaction', 'provider'], asTable(ofCompactor)),
  ];
}

function providerProblems(
  path: readonly string[],
  { kind, script, model }: Table,
): SchemaProblem[] {
  if (kind === 'anthropic' && model === undefined)
    return [
      {
        path: [...path, 'model'],
        kind: 'missing',
        says: 'is required for the kind "anthropic": the id of the model',
      },
    ];
  if (kind === 'scripted' && script === undefined)
    return [
      {
        path: [...path, 'script'],
        kind: 'missing',
        says: 'is required for the kind "scripted": the file to play',
      },
    ];
  if (
    kind === 'scripted' ||
    kind === 'anthropic' ||
    typeof kind !== 'string' ||
    !knownKinds().includes(kind)
  )
    return [];
  const says = `"${kind}" ${NOT_YET}; supported: "scripted", "anthropic"`;
  return [{ path: [...path, 'kind'], kind: 'wrong', says }];
}

/**
 * To valibot a list or a date is an object too, one in which every key is missing. In the place of a table it is told of
 * as what it is, and none of what is in it.
 */
export function withTableProblems(
  problems: readonly SchemaProblem[],
  table: Table,
): SchemaProblem[] {
  const noTables = tableProblems(table);
  const isTold = ({ path }: SchemaProblem): boolean =>
    noTables.some((none) => none.path.every((key, index) => key === path[index]));
  return [...problems.filter((problem) => !isTold(problem)), ...noTables];
}

function tableProblems(table: Table): SchemaProblem[] {
  const worker = asTable(table['worker']);
  const compaction = asTable(table['compaction']);
  const scope = asTable(table['scope']);
  const toolOutput = asTable(worker['tool_output']);
  const rules = (['allow', 'deny'] as const).flatMap((key) => {
    const list: readonly unknown[] = Array.isArray(scope[key]) ? scope[key] : [];
    return list.map((rule, index) => [['scope', key, index], rule] as const);
  });
  return (
    [
      [['pod'], table['pod']],
      [['provider'], table['provider']],
      [['scope'], table['scope']],
      [['worker'], table['worker']],
      [['worker', 'tool_output'], worker['tool_output']],
      [['worker', 'tool_output', 'per_tool'], toolOutput['per_tool']],
      [['compaction'], table['compaction']],
      [['compaction', 'provider'], compaction['provider']],
      ...rules,
    ] as const
  )
    .filter(([, value]) => Array.isArray(value) || value instanceof Date)
    .map(([path, value]) => ({
      path,
      kind: 'wrong',
      says: `expected a table, got ${Array.isArray(value) ? 'a list' : 'a date'}`,
    }));
}

function asTable(value: unknown): Table {
  return typeof value === 'object' && value !== null ? (value as Table) : {};
}

function knownKinds(): readonly string[] {
  return ManifestTable.entries.provider.entries.kind.options;
}

/** One line of a list of problems. */
export function formatProblem({ path, says }: SchemaProblem): string {
  return `${formatPath(path)} ${says}`.trim();
}
