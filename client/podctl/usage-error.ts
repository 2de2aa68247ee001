/** The command line asks for something that can't be. The message is for whoever typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
