/** A random sequence that its seed brings back (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1, 1 left out. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.below(all.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

const MIB = 1024 * 1024;
const METHODS = ['Run', 'Resume', 'Cancel', 'GetStatus', 'GetHistory', 'Subscribe', 'Unsubscribe'];
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, '', 'x', '\u2028', '\u0000', '😀'],
  ...[[], [[]], {}, { a: {} }, [1, 'a', null], 'x'.repeat(5_000)],
];
const NAMES = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', ' ', 'run', 'RUN'],
  ...['rpc.discover', 'Event', 'Ping', 'Run\u2028', 'GetStatus ', '..', 'x'.repeat(100_000)],
];

/** Made once: to fill them anew each time took longer than to send them. */
const TOO_LONG = Buffer.alloc(17 * MIB, 'x');
const JUST_FITS = line(`{"id":1,"method":"GetStatus"${' '.repeat(15 * MIB)}}`);

/** What never starts a run, stops one or ends the Pod, however it is read. */
const KINDS: Readonly<Record<string, (random: Random) => Buffer>> = {
  notJson: (random) =>
    line(random.pick(['{', ']', 'hello', '{"id":1,}', "{'a':1}", 'NaN', '\0\0'])),
  junk: (random) => Buffer.concat([random.bytes(random.below(2_000)), Buffer.from('\n')]),
  halfLine: (random) =>
    Buffer.from('{"id":1,"method":"Run","params":{"in'.slice(0, 1 + random.below(35))),
  notARequest: (random) => json(random.pick(VALUES)),
  wrongTypes: (random) =>
    json({
      jsonrpc: random.pick(['2.0', '1.0', 2, null]),
      id: random.pick(VALUES),
      method: random.pick([...VALUES, 'GetStatus', 'Subscribe']),
      params: random.pick(VALUES.filter((value) => value !== null)),
    }),
  wrongParams: (random) =>
    json({
      id: random.below(1_000),
      method: random.pick(METHODS),
      params: {
        [random.pick(['inptu', 'events', 'after', 'limit'])]: random.pick(VALUES.slice(3)),
        x: 1,
      },
    }),
  prototypeNames: (random) =>
    line(`{"id":1,"method":${JSON.stringify(random.pick(NAMES))},"params":{"__proto__":{"a":1}}}`),
  tooLong: () => TOO_LONG,
  justFits: () => JUST_FITS,
  separators: (random) =>
    json({
      id: '\u2028\u2029',
      method: 'GetStatus',
      params: { [random.pick(['\u2028', '\r'])]: 1 },
    }),
  deep: (random) => {
    const depth = 1_000 + random.below(100_000);
    return line(`{"id":1,"method":"Run","params":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  },
  batch: (random) =>
    json(
      Array.from({ length: random.below(120) }, (_, id) =>
        random.pick<unknown>([null, 1, [], {}, { id, method: 'GetStatus' }, { method: 'Nope' }]),
      ),
    ),
  hugeId: (random) => json({ id: 'i'.repeat(random.below(300_000)), method: 'GetStatus' }),
  hugeNumber: (random) =>
    line(
      `{"id":${random.pick(['1e400', '-1e999', '12345678901234567890', '1e-400'])},"method":"GetStatus"}`,
    ),
  notUtf8: (random) =>
    Buffer.concat([
      Buffer.from('{"id":1,"method":"'),
      random.bytes(20),
      Buffer.from([0xff, 0x22, 0x7d, 0x0a]),
    ]),
  nul: (random) => Buffer.alloc(1 + random.below(5_000)),
  blank: (random) => Buffer.alloc(1 + random.below(5_000), '\n'),
  manyWrongNames: (random) =>
    json({
      id: 1,
      method: 'Subscribe',
      params: { events: Array(random.below(50_000)).fill('no') },
    }),
};

/** As much as a line may hold and more, so they are rarer than the rest. */
const HUGE = ['tooLong', 'justFits'];
const HUGE_EVERY = 75;
const COMMON = Object.keys(KINDS).filter((kind) => !HUGE.includes(kind));

export type Garbage = { readonly isHuge: boolean; readonly bytes: Buffer };

/**
 * The messages that no client should send, with or without their end. Kinds take turns, so that any stretch of them
 * is as good as another; what is in them is random.
 */
export function garbage(random: Random): () => Garbage {
  let made = 0;
  return () => {
    made += 1;
    const isHuge = made % HUGE_EVERY === 0;
    const kinds = isHuge ? HUGE : COMMON;
    const turn = isHuge ? made / HUGE_EVERY : made;
    const kind = kinds[turn % kinds.length] ?? 'notJson';
    return { isHuge, bytes: KINDS[kind]?.(random) ?? Buffer.alloc(0) };
  };
}

export function hugeLine(random: Random): Buffer {
  return KINDS[random.pick(HUGE)]?.(random) ?? Buffer.alloc(0);
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\n`);
}

function json(value: unknown): Buffer {
  return line(JSON.stringify(value));
}
