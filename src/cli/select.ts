import type { Property } from '../harness/index.js';
import { type Flags, textFlag, wholeFlag } from './flags.js';
import { alternatives, named, UsageError } from './usage.js';
import type { TargetKind, TargetOptions, World } from './world.js';

/** The properties of those names, or all of them. */
export function selectProperties(world: World, names: readonly string[]): readonly Property[] {
  const found = names.map((name) => named('property', name, world.properties, (property) => property.id));
  return names.length === 0 ? world.properties : [...new Set(found)];
}

/** The target that `--target` names. */
export function selectTarget(world: World, flags: Flags): TargetKind | undefined {
  const name = textFlag(flags, 'target');
  return name === undefined ? undefined : named('target', name, world.targets, (kind) => kind.id);
}

/** Flags of the commands that make a target. */
export const TARGET_FLAGS: readonly (readonly [string, string])[] = [
  ['--shape <name>', 'Shape of the engine (see: iovcheck list targets)'],
  ['--qemu <path>', 'QEMU binary, a path or a name in PATH (default: qemu-system-x86_64)'],
  ['--aw-bits <n>', "Address width of QEMU's IOMMU: 39 or 48"],
];

/**
 * The options that the flags give a target.
 *
 * @throws UsageError for a flag that does not concern it
 */
export function targetOptions(kind: TargetKind, flags: Flags): TargetOptions {
  const shape = textFlag(flags, 'shape');
  const qemu = textFlag(flags, 'qemu');
  const awBits = wholeFlag(flags, 'awBits', 1, 64);
  if (awBits !== undefined && awBits !== 39 && awBits !== 48) {
    throw new UsageError(`--aw-bits: expected 39 or 48, got ${awBits}`);
  }
  if (shape !== undefined && kind.flags.includes('shape')) {
    named('shape', shape, kind.variants, (variant) => variant.name);
  }
  const options: TargetOptions = {
    ...(shape === undefined ? {} : { shape }),
    ...(qemu === undefined ? {} : { qemu }),
    ...(awBits === undefined ? {} : { awBits }),
  };
  for (const [name, flag] of Object.entries({ shape: '--shape', qemu: '--qemu', awBits: '--aw-bits' })) {
    if (Object.hasOwn(options, name) && !kind.flags.some((each) => each === name)) {
      throw new UsageError(`${flag} does not concern target ${kind.id}, which takes ${flagNames(kind)}`);
    }
  }
  return options;
}

function flagNames(kind: TargetKind): string {
  const names = { shape: '--shape', qemu: '--qemu', awBits: '--aw-bits' };
  return kind.flags.length === 0 ? 'none' : alternatives(kind.flags.map((flag) => names[flag]));
}

/** Flags, as a command needs them to make the same target again. */
export function flagText(options: TargetOptions): string {
  const quoted = (text: string): string =>
    /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return [
    options.shape === undefined ? '' : ` --shape ${quoted(options.shape)}`,
    options.qemu === undefined ? '' : ` --qemu ${quoted(options.qemu)}`,
    options.awBits === undefined ? '' : ` --aw-bits ${options.awBits}`,
  ].join('');
}
