import type { Operation } from '../../../../spec/interface/operations.js';
import { hex } from '../qtest.js';
import type { ScriptInput, TellingWord, ValuePattern } from './input.js';
import { call, digits } from './shell.js';

/** The line that shows a value, or weighs it when it is the one that shows the deviation. */
export function weighing(input: ScriptInput, at: number, what: string): string {
  const observation = input.observations[at];
  const recorded = observation !== undefined && 'value' in observation ? observation.value : undefined;
  const { sign } = input;
  if (sign.kind !== 'value' || sign.at !== at) {
    return recorded === undefined ? `# ${what} was not observed` : call('see', what, recorded);
  }
  const bytes = widthOf(input.operations[at]!);
  const patterns = sign.admitted.flatMap(({ mask, wanted }) => [mask, wanted]);
  return call('weigh', what, expectation(sign.admitted, bytes, input.expected), recorded ?? 0n, ...patterns);
}

function widthOf(operation: Operation): number {
  return 'size' in operation ? operation.size : 8;
}

/** The nearest value that is admitted, and what is expected in words. */
function expectation([nearest]: readonly ValuePattern[], bytes: number, inWords: string): string {
  if (nearest === undefined) return inWords;
  const { mask, wanted } = nearest;
  const every = mask === (1n << BigInt(bytes * 8)) - 1n;
  return `${hex(wanted)}${every ? '' : ` in the bits ${hex(mask)}`} (${inWords})`;
}

/** The line that weighs what a device received. */
export function dataWeighing(recorded: Uint8Array, admitted: readonly Uint8Array[], inWords: string): string {
  return call('weigh_data', 'data', inWords, `0x${digits(recorded)}`, ...admitted.map((each) => `0x${digits(each)}`));
}

/** The lines that weigh words of memory. */
export function wordsWeighing(words: readonly TellingWord[]): readonly string[] {
  const rows = words.map(({ address, recorded, admitted }) =>
    [hex(address), hex(recorded), admitted === undefined ? '-' : hex(admitted)].join(' '),
  );
  return ["weigh_words <<'WORDS'", ...rows, 'WORDS'];
}
