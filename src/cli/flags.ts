import { UsageError } from './usage.js';

/** Flags as parsed, by camel-case name. */
export type Flags = Readonly<Record<string, unknown>>;

/** `qemuPath` as "--qemu-path". */
function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The text of a flag, if it was given. */
export function textFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value)) throw new UsageError(`${flagName(name)}: expected once, got ${value.join(' and ')}`);
  if (value === true || value === '') throw new UsageError(`${flagName(name)}: expected a value, got none`);
  return String(value);
}

/** The whole number of a flag, if it was given. */
export function wholeFlag(flags: Flags, name: string, minimum: number, maximum: number): number | undefined {
  const text = textFlag(flags, name);
  if (text === undefined) return undefined;
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`${flagName(name)}: expected a whole number from ${minimum} to ${maximum}, got "${text}"`);
}
