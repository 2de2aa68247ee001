/** How text is shown in one place. Off a terminal every function here gives its text back as it is. */
export type Style = {
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  /** Text that others wrote. A terminal must not take orders from it. */
  readonly foreign: (text: string) => string;
};

export function createStyle(place: {
  readonly isTerminal: boolean;
  readonly colors: boolean;
}): Style {
  const styled =
    (code: number) =>
    (text: string): string =>
      place.isTerminal && place.colors && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    dim: styled(2),
    bold: styled(1),
    red: styled(31),
    green: styled(32),
    yellow: styled(33),
    foreign: (text) => (place.isTerminal ? withoutControls(text) : text),
  };
}

/** Escape sequences could rewrite what was shown, or what is typed next. Tabs and line feeds stay. */
function withoutControls(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/[^\P{Cc}\t\n]/gu, '\uFFFD');
}

/** The first line of a text, cut to so many UTF-16 units. */
export function oneLine(text: string, unitsMax: number): string {
  const line = text.split('\n', 1)[0] ?? '';
  const cut = line.length > unitsMax ? `${line.slice(0, unitsMax - 1)}…` : line;
  return cut === text ? text : cut.endsWith('…') ? cut : `${cut} …`;
}
