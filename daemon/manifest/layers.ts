import { formatPath } from '../core/schema-problems.ts';

export type Table = Readonly<Record<string, unknown>>;

/** One source of configuration, checked by itself, its paths absolute. */
export type Layer = {
  /** As messages and listings name it: a file's path, or the flag. */
  readonly source: string;
  readonly table: Table;
};

/** What the layers make together. `origins` tells of each value, by its key (`scope.allow[1]`), which layer said it. */
export type Merged = { readonly table: Table; readonly origins: ReadonlyMap<string, string> };

/** Lists that grow from layer to layer; any other value of a higher layer takes the place of the lower one. */
const CONCATENATED: ReadonlySet<string> = new Set(['scope.allow', 'scope.deny']);

/** Pure. `layers` are given lowest first. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const origins = new Map<string, string>();
  let table: Table = {};
  for (const layer of layers) table = merge(table, layer.table, { path: [], layer, origins });
  return { table, origins };
}

type Place = {
  readonly path: readonly string[];
  readonly layer: Layer;
  readonly origins: Map<string, string>;
};

function merge(lower: Table, upper: Table, { path, ...rest }: Place): Table {
  const merged = new Map(Object.entries(lower));
  for (const [key, value] of Object.entries(upper)) {
    const at = { path: [...path, key], ...rest };
    merged.set(key, mergeValue(merged.get(key), value, at));
  }
  // Not by assignment: that would lose a key named __proto__.
  return Object.fromEntries(merged);
}

function mergeValue(lower: unknown, upper: unknown, at: Place): unknown {
  const { path, layer, origins } = at;
  if (isTable(upper)) return merge(isTable(lower) ? lower : {}, upper, at);
  const name = formatPath(path);
  if (!CONCATENATED.has(name) || !Array.isArray(upper)) {
    origins.set(name, layer.source);
    return upper;
  }
  const before: readonly unknown[] = Array.isArray(lower) ? lower : [];
  for (const index of upper.keys()) origins.set(`${name}[${before.length + index}]`, layer.source);
  return [...before, ...(upper as readonly unknown[])];
}

export function isTable(value: unknown): value is Table {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
