/** What each of several things gives, in one list. Does what `flatMap` does, several times as fast. */
export function gather<T, U>(things: readonly T[], give: (thing: T, index: number) => readonly U[]): readonly U[] {
  if (things.length === 1) return give(things[0]!, 0);
  const all: U[] = [];
  for (let index = 0; index < things.length; index++) {
    for (const each of give(things[index]!, index)) all.push(each);
  }
  return all;
}
