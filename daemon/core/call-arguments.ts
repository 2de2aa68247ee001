import * as v from 'valibot';
import { refuse, ok, type Result } from './result.ts';
import { formatPath, listProblems } from './schema-problems.ts';

/** The object that a call's JSON text holds, or in a sentence what is wrong with the text. Nothing at all and `null` count as `{}`. */
export function parseArgumentsObject(text: string): Result<object, string> {
  if (text.trim() === '') return ok({});
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(
      `the arguments are not valid JSON: ${error instanceof Error ? error.message : ''}`,
    );
  }
  if (value === null) return ok({});
  if (typeof value !== 'object')
    return refuse(`the arguments are a JSON object, not a ${typeof value}`);
  if (Array.isArray(value)) return refuse('the arguments are a JSON object, not a list');
  return ok(value);
}

/** Arguments that fit the tool's schema, or a message for the model: which field, what was expected, which key is near. */
export function parseCallArguments<T>(
  schema: v.GenericSchema<unknown, T>,
  text: string,
): Result<T, string> {
  const object = parseArgumentsObject(text);
  if (!object.ok) return object;
  const parsed = v.safeParse(schema, object.value);
  if (parsed.success) return ok(parsed.output);
  const problems = listProblems(schema, parsed.issues, 'json');
  return refuse(
    `the arguments do not fit: ${problems.map(({ path, says }) => `${formatPath(path)} ${says}`.trim()).join('; ')}`,
  );
}
