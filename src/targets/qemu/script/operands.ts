import type { Operand, Operation, Reference, RegisterAddress } from '../../../../spec/interface/operations.js';
import type { Profile } from '../../../../spec/interface/profile.js';
import { accessOffset, registerPlace } from '../../registers.js';
import { VTD_REGISTERS_BASE, VTD_REGISTERS_BYTES } from '../platform.js';
import { hex } from '../qtest.js';
import { NoScript } from './input.js';

/** Something a line is written with: lines that come before it, and the word. */
export interface Word {
  readonly before: readonly string[];
  readonly word: string;
}

/** The observed value of an operation, as the script keeps it. */
export function variableOf(at: number): string {
  return `v${at}`;
}

/** Operations whose values others refer to. */
export function referredTo(operations: readonly Operation[]): ReadonlySet<number> {
  return new Set(operations.flatMap((operation) => operandsOf(operation).flatMap((each) => refOf(each))));
}

function operandsOf(operation: Operation): readonly (Operand | undefined)[] {
  switch (operation.op) {
    case 'regWrite':
      return [operation.index, operation.value];
    case 'regRead':
    case 'poll':
      return [operation.index];
    case 'configWrite':
      return [operation.value];
    default:
      return [];
  }
}

function refOf(operand: Operand | undefined): readonly number[] {
  return operand === undefined || typeof operand === 'bigint' ? [] : [operand.ref];
}

function refer({ ref, field = [63, 0], scale = 1, plus = 0n }: Reference): string {
  return `refer "$${variableOf(ref)}" ${field[0]} ${field[1]} ${scale} ${hex(BigInt.asUintN(64, plus))}`;
}

/** The value of an operand, cut to a width in bytes. */
export function valueWord(operand: Operand, size: 1 | 2 | 4 | 8): Word {
  if (typeof operand === 'bigint') return { before: [], word: hex(BigInt.asUintN(size * 8, operand)) };
  const cut = size === 8 ? '$number' : `$((number & ${hex((1n << BigInt(size * 8)) - 1n)}))`;
  return { before: [refer(operand), `operand=$(printf '0x%x' "${cut}")`], word: '"$operand"' };
}

/**
 * The address of a register.
 *
 * @throws NoScript when the profile does not know it
 */
export function registerWord(profile: Profile, address: RegisterAddress, at: number): Word {
  try {
    const place = registerPlace(profile, address.component, address.register);
    const { index = 0n } = address;
    if (typeof index === 'bigint') return { before: [], word: hex(inUnit(accessOffset(place, address, index))) };
    const first = hex(inUnit(accessOffset(place, address)));
    const word = place.stride === 0 ? first : `$((${first} + ${place.stride} * number))`;
    return { before: [refer(index), 'which'], word };
  } catch (error) {
    throw new NoScript(`operation ${at}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function inUnit(offset: number): number {
  if (offset < 0 || offset >= VTD_REGISTERS_BYTES) throw new Error(`offset ${offset} is outside the unit's registers`);
  return VTD_REGISTERS_BASE + offset;
}
