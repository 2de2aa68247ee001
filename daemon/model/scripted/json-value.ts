import { ok, refuse, type Result } from '../../core/result.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;

type Problem = { readonly at: string; readonly says: string };

/** A TOML table as JSON: dates become their text; numbers that JSON has no form for are refused. */
export function toJsonObject(
  table: Readonly<Record<string, unknown>>,
): Result<JsonObject, Problem> {
  const entries: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(table)) {
    const json = toJson(value);
    if (!json.ok) return refuse({ ...json.error, at: `.${key}${json.error.at}` });
    entries.push([key, json.value]);
  }
  return ok(Object.fromEntries(entries));
}

function toJson(value: unknown): Result<JsonValue, Problem> {
  if (typeof value === 'string' || typeof value === 'boolean') return ok(value);
  if (typeof value === 'number')
    return Number.isFinite(value)
      ? ok(value)
      : refuse({ at: '', says: `expected a number that JSON has, got ${value}` });
  if (value instanceof Date) return ok(value.toISOString());
  return Array.isArray(value) ? toJsonList(value) : toJsonObject(value as JsonObject);
}

function toJsonList(values: readonly unknown[]): Result<JsonValue, Problem> {
  const list: JsonValue[] = [];
  for (const [index, value] of values.entries()) {
    const json = toJson(value);
    if (!json.ok) return refuse({ ...json.error, at: `[${index}]${json.error.at}` });
    list.push(json.value);
  }
  return ok(list);
}

/** The same value with each of its strings replaced; keys stay. */
export function mapStrings(value: JsonValue, map: (text: string) => string): JsonValue {
  if (typeof value === 'string') return map(value);
  if (typeof value !== 'object') return value;
  if (isList(value)) return value.map((part) => mapStrings(part, map));
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, mapStrings(part, map)]),
  );
}

// `Array.isArray` does not narrow a readonly list.
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
