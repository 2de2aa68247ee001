import type { Prices } from '../ports/model.ts';

/** By the vendor's price list: what is kept for five minutes costs 1.25 times the input, and a tenth when it is read. */
function claude(input: number, output: number): Prices {
  return { input, output, cacheRead: input / 10, cacheWrite: input * 1.25 };
}

/** Only what is known for sure: a wrong price would be worse than none. */
const PRICES: readonly (readonly [model: RegExp, prices: Prices])[] = [
  [/claude-opus-4-[56](?!\d)/, claude(5, 25)],
  [/claude-opus-4(?:-[01])?(?:-\d{8})?$/, claude(15, 75)],
  [/claude-(?:3-opus|opus-3)/, claude(15, 75)],
  [/claude-sonnet-4/, claude(3, 15)],
  [/claude-3-[57]-sonnet/, claude(3, 15)],
  [/claude-haiku-4-5/, claude(1, 5)],
  [/claude-3-5-haiku/, claude(0.8, 4)],
  [/claude-3-haiku/, claude(0.25, 1.25)],
];

/** US dollars per million tokens; undefined for a model whose price is not known. */
export function pricesOf(model: string): Prices | undefined {
  return PRICES.find(([pattern]) => pattern.test(model))?.[1];
}
