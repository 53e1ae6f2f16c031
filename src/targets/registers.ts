import type { RegisterAddress } from '../../spec/interface/operations.js';
import type { Component, Profile } from '../../spec/interface/profile.js';
import { type Bits, CAP_FIELDS, ECAP_FIELDS, VTD_PLACED_REGISTERS, VTD_REGISTERS } from '../../spec/layout/vtd.js';

/** Where the first of a register's instances lies, and how far apart the instances are, in bytes. */
export interface RegisterPlace {
  readonly offset: number;
  readonly stride: number;
}

/** Largest index that an FSTS.FRI field can name; what lies behind the last register reads as reserved. */
const LARGEST_INDEX = 255n;

/** Unit of CAP.FRO and ECAP.IRO, in bytes. */
const PLACEMENT_UNIT = 16;

/**
 * Byte offset of a register access from the start of the component's register block.
 *
 * @param index value of `address.index` once resolved (see {@link resolveOperand}), 0 when absent
 * @throws Error when the component, its architecture or the register is unknown, or the index is out of reach
 */
export function resolveRegister(profile: Profile, address: RegisterAddress, index: bigint = 0n): number {
  return accessOffset(registerPlace(profile, address.component, address.register), address, index);
}

/**
 * {@link resolveRegister} with the place looked up before.
 *
 * @throws RangeError when the index is out of reach
 */
export function accessOffset(place: RegisterPlace, address: RegisterAddress, index: bigint = 0n): number {
  if (index < 0n || index > LARGEST_INDEX) {
    throw new RangeError(`register ${address.register}: index ${index} is outside 0 to ${LARGEST_INDEX}`);
  }
  return place.offset + place.stride * Number(index) + (address.offset ?? 0);
}

/**
 * Where a register is: by its name in the architecture's layout, or by a raw byte offset such as "0x1c".
 * Depends on the profile alone, so that a target may keep it.
 *
 * @throws Error when the component, its architecture or the register is unknown
 */
export function registerPlace(profile: Profile, component: string, register: string): RegisterPlace {
  const unit = profile.components[component];
  if (unit === undefined) {
    const known = Object.keys(profile.components).join(', ');
    throw new Error(`register ${register}: no component "${component}" in the profile (it has ${known})`);
  }
  if (/^0x[0-9a-f]+$/i.test(register)) {
    return { offset: Number.parseInt(register, 16), stride: 0 };
  }
  if (unit.architecture !== 'vtd') {
    throw new Error(`register ${register}: the registers of architecture "${unit.architecture}" are not known`);
  }
  return vtdPlace(unit, component, register);
}

function vtdPlace(unit: Component, component: string, register: string): RegisterPlace {
  if (Object.hasOwn(VTD_REGISTERS, register)) {
    return { offset: VTD_REGISTERS[register as keyof typeof VTD_REGISTERS].offset, stride: 0 };
  }
  if (Object.hasOwn(VTD_PLACED_REGISTERS, register)) {
    const { base, plus, bytes, count } = VTD_PLACED_REGISTERS[register as keyof typeof VTD_PLACED_REGISTERS];
    const units =
      base === 'CAP.FRO' ? capability(unit, 'CAP', CAP_FIELDS.FRO) : capability(unit, 'ECAP', ECAP_FIELDS.IRO);
    return { offset: units * PLACEMENT_UNIT + plus, stride: count === 1 ? 0 : bytes };
  }
  throw new Error(`component "${component}": VT-d has no register "${register}"`);
}

function capability(unit: Component, register: string, bits: Bits): number {
  const value = unit.registers[register];
  if (value === undefined) {
    throw new Error(`the profile gives no value of register ${register}, which tells where other registers are`);
  }
  return Number(BigInt.asUintN(bits[0] - bits[1] + 1, value >> BigInt(bits[1])));
}
