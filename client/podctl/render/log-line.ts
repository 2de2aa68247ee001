import { showName, type Style } from './style.ts';

const LEVELS: Readonly<Record<number, string>> = {
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};
/** The same in each line of one Pod, or told before the rest. */
const LEFT_OUT = ['level', 'time', 'pod', 'pid', 'msg'];

/** One line of podd.log in the form that people read, without its end. What is no such line is shown as it is. */
export function renderLogLine(json: string, style: Style): string {
  const fields = parseFields(json);
  if (fields === null) return showName(json);
  const { level, time, msg } = fields;
  const word = LEVELS[Number(level)] ?? '     ';
  const paint =
    Number(level) >= 50 ? style.red : Number(level) >= 40 ? style.bold : (text: string) => text;
  const rest = Object.entries(fields)
    .filter(([key]) => !LEFT_OUT.includes(key))
    .map(([key, value]) => ` ${showName(key)}=${toWord(value)}`);
  const said = showName(typeof msg === 'string' ? msg : '');
  return `${style.dim(toTime(time))} ${paint(word)} ${said}${style.dim(rest.join(''))}`;
}

function parseFields(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return value as Record<string, unknown>;
  } catch {
    return null;
  }
}

function toWord(value: unknown): string {
  // An error, as pino tells one; its stack is in the file.
  const isError = typeof value === 'object' && value !== null && 'stack' in value;
  const shown = isError && 'message' in value ? value.message : value;
  return showName(JSON.stringify(shown));
}

/** With the day, since a log is read long after. */
function toTime(time: unknown): string {
  const at = new Date(typeof time === 'number' ? time : 0);
  const shown = Number.isNaN(at.getTime()) ? new Date(0) : at;
  const [day = '', clock = ''] = shown.toISOString().split('T');
  return `${day} ${clock.slice(0, 12)}`;
}
