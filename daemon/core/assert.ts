/** A promise of ours is broken. It stops the Pod (exit 70): going on could write what is not true. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(holds: boolean, says: string): asserts holds {
  if (!holds) throw new InvariantError(says);
}

export function assertNever(value: never, where: string): never {
  throw new InvariantError(`${where} met ${JSON.stringify(value)}`);
}
