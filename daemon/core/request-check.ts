import type { Item } from '../../protocol/items.ts';
import { CheckedItems, type RequestShape } from './checked-items.ts';
import { LIMITS } from './limits.ts';
import { ok, refuse, type Result } from './result.ts';

export type CheckableRequest = {
  readonly systemPrompt: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  }[];
  readonly items: readonly Item[];
  /** So many of the last items go along with this request alone. */
  readonly passing?: number;
};

/**
 * The one validator that every request passes before it leaves; what it refuses, a provider would refuse for ever.
 * `checked` may be kept between the requests of one history: then only what is new is looked at. `constant` is what
 * `constantBytes` says, where the caller has asked it already.
 */
export function checkRequest(
  request: CheckableRequest,
  shape: RequestShape,
  checked: CheckedItems = new CheckedItems(shape),
  constant: number = constantBytes(request),
): Result<null, readonly string[]> {
  const problems = [
    ...checked.problemsOf(request.items, request.passing),
    ...toolProblems(request.tools),
  ];
  const bytes = constant + checked.bytes;
  if (bytes > LIMITS.requestBytes)
    problems.push(`the request has ${bytes} bytes, at most ${LIMITS.requestBytes} may be sent`);
  return problems.length === 0 ? ok(null) : refuse(problems);
}

/** UTF-8 bytes of what every request of a session begins with. */
export function constantBytes({
  systemPrompt,
  tools,
}: Pick<CheckableRequest, 'systemPrompt' | 'tools'>): number {
  return Buffer.byteLength(systemPrompt) + Buffer.byteLength(JSON.stringify(tools));
}

function toolProblems(tools: CheckableRequest['tools']): string[] {
  return tools.flatMap(({ name, parameters }, index) => {
    const before = tools[index - 1]?.name;
    const problems: string[] = [];
    if (before !== undefined && before >= name)
      problems.push(`tool ${name} stands behind ${before}: names are unique and sorted`);
    if (parameters['type'] !== 'object')
      problems.push(`tool ${name}: the root of its schema is not an object`);
    return problems;
  });
}
