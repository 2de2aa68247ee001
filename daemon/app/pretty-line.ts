const LEVELS: Readonly<Record<number, { readonly name: string; readonly colour: string }>> = {
  20: { name: 'DEBUG', colour: '\u001b[2m' },
  30: { name: 'INFO ', colour: '\u001b[32m' },
  40: { name: 'WARN ', colour: '\u001b[33m' },
  50: { name: 'ERROR', colour: '\u001b[31m' },
  60: { name: 'FATAL', colour: '\u001b[1;31m' },
};
const PLAIN = '\u001b[0m';
/** The same in each line of one Pod. */
const LEFT_OUT = ['level', 'time', 'pod', 'pid', 'msg'];

/** One line of the log, as JSON, in the form that people read on a terminal. It has no line end. */
export function toPrettyLine(json: string, options: { readonly colours: boolean }): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return showControls(json.trimEnd());
  }
  const { level, time, msg } = fields;
  const known = LEVELS[Number(level)] ?? { name: '     ', colour: '' };
  const name = options.colours ? `${known.colour}${known.name}${PLAIN}` : known.name;
  const rest = Object.entries(fields)
    .filter(([key]) => !LEFT_OUT.includes(key))
    .map(([key, value]) => ` ${showControls(key)}=${toWord(value)}`);
  return `${toTime(time)} ${name} ${showControls(typeof msg === 'string' ? msg : '')}${rest.join('')}`;
}

/** What would move the cursor, colour the screen or turn the reading direction is shown as its code point. */
export function showControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

function toWord(value: unknown): string {
  if (isError(value)) return showControls(JSON.stringify(value.message));
  return showControls(JSON.stringify(value));
}

/** As pino tells one; its stack is in the file. */
function isError(value: unknown): value is { readonly message: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stack' in value &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

/** Of the day, where the reader is. */
function toTime(time: unknown): string {
  const at = new Date(typeof time === 'number' ? time : 0);
  const two = (part: number): string => String(part).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
