import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import type { Property } from '../../harness/index.js';
import type { Invocation } from '../command.js';
import { clockText, parseDuration } from '../duration.js';
import { textFlag, wholeFlag } from '../flags.js';
import { selectProperties, selectTarget, targetOptions } from '../select.js';
import type { TargetKind, TargetOptions } from '../world.js';

/** Time that is spent when neither time nor cases are given, in seconds, over all variants. */
const USUAL_SECONDS = 60;
const LARGEST_SEED = 0xffff_ffff;
const MOST_JOBS = 256;

/** One form of a target. */
export interface Variant {
  readonly name: string;
  readonly options: TargetOptions;
  /** Those of its options that were given by flags. */
  readonly given: TargetOptions;
}

/** What a run does, from its flags. */
export interface Plan {
  readonly kind: TargetKind;
  readonly variants: readonly Variant[];
  readonly properties: readonly Property[];
  readonly seed: number;
  /** To be spent, over all variants; no limit where it is absent. */
  readonly seconds: number | undefined;
  /** Random cases of each property and variant. */
  readonly cases: number | undefined;
  readonly jobs: number;
  /** Folder for the report and the cases, absolute. */
  readonly out: string;
}

/** @throws UsageError for a flag or a property that there is not */
export function planOf({ io, world, args, flags }: Invocation): Plan {
  const kind = selectTarget(world, flags) ?? world.targets[0]!;
  const given = targetOptions(kind, flags);
  const time = textFlag(flags, 'time');
  const cases = wholeFlag(flags, 'cases', 1, Number.MAX_SAFE_INTEGER);
  const usual = cases === undefined ? USUAL_SECONDS : undefined;
  return {
    kind,
    variants: variantsOf(kind, given),
    properties: selectProperties(world, args),
    seed: wholeFlag(flags, 'seed', 0, LARGEST_SEED) ?? randomInt(LARGEST_SEED),
    seconds: time === undefined ? usual : parseDuration('--time', time),
    cases,
    jobs: wholeFlag(flags, 'jobs', 1, MOST_JOBS) ?? 1,
    out: resolve(io.cwd, textFlag(flags, 'out') ?? '.iovcheck'),
  };
}

/** The variants that the given options leave open. */
function variantsOf(kind: TargetKind, given: TargetOptions): Plan['variants'] {
  return kind.variants
    .filter(({ options }) =>
      Object.entries(options).every(([name, value]) => {
        const asked = Object.entries(given).find(([other]) => other === name);
        return asked === undefined || asked[1] === value;
      }),
    )
    .map(({ name, options }) => ({ name: `${kind.id} ${name}`, options: { ...options, ...given }, given }));
}

/** What is about to be done, on one line. */
export function headline({ kind, variants, properties, seed, seconds, cases }: Plan, stored: number): string {
  const variantText = variants.length === 1 ? variants[0]!.name : `${kind.id} (${variants.length} variants in turn)`;
  const amount = [
    cases === undefined ? '' : `${cases} cases each`,
    seconds === undefined ? '' : `${seconds < 60 ? `${seconds} s` : clockText(seconds)}`,
  ].filter((text) => text !== '');
  const first = stored === 0 ? '' : `, ${stored} stored cases first`;
  return `target ${variantText}, ${properties.length} properties, seed ${seed}, ${amount.join(' or ')}${first}`;
}
