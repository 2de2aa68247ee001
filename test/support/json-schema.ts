/** What of draft-07 the manifest's schema uses. An editor reads it with a whole validator. */
export type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: false | JsonSchema;
};

/** Says nothing of what is checked. */
const ANNOTATIONS = ['$schema', 'title', 'description', 'default'];

type Keyword = keyof JsonSchema;
type Check = (schema: JsonSchema, value: unknown) => boolean;

const CHECKS: Readonly<Record<Exclude<Keyword, 'description'>, Check>> = {
  type: ({ type }, value) => isOfType(type, value),
  enum: (schema, value) => schema.enum?.includes(value) === true,
  minimum: ({ minimum = 0 }, value) => typeof value !== 'number' || value >= minimum,
  maximum: ({ maximum = 0 }, value) => typeof value !== 'number' || value <= maximum,
  pattern: ({ pattern = '' }, value) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  items: ({ items = {} }, value) =>
    !Array.isArray(value) || value.every((one) => isValid(items, one)),
  maxItems: ({ maxItems = 0 }, value) => !Array.isArray(value) || value.length <= maxItems,
  required: ({ required = [] }, value) =>
    !isTable(value) || required.every((key) => Object.hasOwn(value, key)),
  properties: ({ properties = {} }, value) =>
    !isTable(value) ||
    Object.entries(properties).every(
      ([key, schema]) => !Object.hasOwn(value, key) || isValid(schema, value[key]),
    ),
  propertyNames: ({ propertyNames = {} }, value) =>
    !isTable(value) || Object.keys(value).every((key) => isValid(propertyNames, key)),
  additionalProperties: ({ properties = {}, additionalProperties: rest = {} }, value) =>
    !isTable(value) ||
    Object.entries(value).every(
      ([key, one]) => Object.hasOwn(properties, key) || (rest !== false && isValid(rest, one)),
    ),
};

/** Whether a TOML value fits `schema`. A keyword that is not looked at here is an error. */
export function isValid(schema: JsonSchema, value: unknown): boolean {
  return Object.keys(schema).every((keyword) => {
    if (ANNOTATIONS.includes(keyword)) return true;
    if (!(keyword in CHECKS)) throw new Error(`a keyword that nobody checks: ${keyword}`);
    return CHECKS[keyword as keyof typeof CHECKS](schema, value);
  });
}

function isOfType(type: string | undefined, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isTable(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
    case undefined:
    default:
      throw new Error(`a type that nobody checks: ${type ?? 'none'}`);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
