/** The command line asks for something that does not exist or makes no sense. One line that names it and says what exists. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** "a, b or c". */
export function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** The thing of that name. */
export function named<T>(what: string, name: string, all: readonly T[], nameOf: (thing: T) => string): T {
  const found = all.find((thing) => nameOf(thing) === name);
  if (found !== undefined) return found;
  throw new UsageError(`unknown ${what} "${name}": expected ${alternatives(all.map(nameOf))}`);
}
