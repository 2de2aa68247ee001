/** Where time comes from. Tests put a manual one here. */
export type Clock = {
  /** Unix time in milliseconds. */
  readonly now: () => number;
};
