import { field, isSet, position } from '../bits.js';
import { type Bits, TABLE_MODE } from '../layout/vtd.js';
import { DESCRIPTOR_TYPE, DESCRIPTORS, type DescriptorLayout, QUEUE_ERROR } from '../layout/vtd-queue.js';
import { contextDescriptorScope, type InvalidationScope, iotlbDescriptorScope } from './caching/scope.js';
import type { Capabilities } from './capabilities.js';

/** Why a descriptor stops the queue. Facts 1.6, 6.5. */
export interface DescriptorError {
  /** What IQERCD.IQEI may show. */
  readonly codes: readonly number[];
  readonly clause: string;
  /** Structure and field that make it wrong; several when several fields do. */
  readonly causes: readonly string[];
}

/** What a descriptor asks for. */
export type Command =
  | { readonly kind: 'invalidate'; readonly scope: InvalidationScope }
  | {
      readonly kind: 'wait';
      readonly status: { readonly address: bigint; readonly data: number } | undefined;
      readonly interrupt: boolean;
      readonly fence: boolean;
    }
  | { readonly kind: 'other' };

/** What becomes of a descriptor. */
export type Decoded =
  | Command
  | { readonly kind: 'error'; readonly error: DescriptorError }
  | { readonly kind: 'undecided'; readonly reason: string };

/** What decides beside the descriptor itself. */
export interface DescriptorContext {
  readonly caps: Capabilities;
  /** IQA.DW. */
  readonly wide: boolean;
  /** TTM. */
  readonly mode: number;
}

type Name = keyof typeof DESCRIPTORS;

const refused = (codes: readonly number[], clause: string, ...causes: readonly string[]): Decoded => ({
  kind: 'error',
  error: { codes, clause, causes },
});

/**
 * Every way in which a descriptor may be taken. Facts 7.4, 7.5.
 *
 * 1. VTD-QI-004, VTD-QI-013, VTD-QI-014, VTD-QI-015: the type must exist in this mode and width.
 * 2. VTD-QI-005, VTD-QI-018: reserved fields must be 0; VTD-QI-006, VTD-QI-019: the granularity must exist.
 * 3. Otherwise the command; some commands may be refused all the same (N33).
 */
export function decodeDescriptor(bits: bigint, context: DescriptorContext): readonly Decoded[] {
  const type = Number((field(bits, DESCRIPTOR_TYPE.high) << 4n) | field(bits, DESCRIPTOR_TYPE.low));
  const invalid = typeError(type, context);
  if (invalid !== undefined) return [invalid];
  const name = nameOf(type);
  if (name === undefined) return [{ kind: 'undecided', reason: `descriptor type ${type} is not specified yet` }];
  const errors = fieldErrors(name, bits, context);
  const [first] = errors;
  if (first !== undefined) {
    const codes = [...new Set(errors.flatMap((each) => each.codes))];
    return [{ kind: 'error', error: { codes, clause: first.clause, causes: errors.flatMap((each) => each.causes) } }];
  }
  return commandsOf(name, bits, context);
}

/** The name of a descriptor type whose layout is known. */
function nameOf(type: number): Name | undefined {
  return (Object.keys(DESCRIPTORS) as Name[]).find((name) => DESCRIPTORS[name].type === type);
}

/** VTD-QI-004: which types a queue accepts. Facts 7.4. */
function typeError(type: number, { caps, wide, mode }: DescriptorContext): Decoded | undefined {
  const name = type > 15 ? `descriptor type ${type & 15} with bits 11:9 set` : `descriptor type ${type}`;
  const no = (clause: string): Decoded => refused([QUEUE_ERROR.typeInvalid], clause, name);
  if (type === 0 || type > 0xa) return no('VTD-QI-004');
  if (type === 3 && !caps.deviceTlb) return no('VTD-QI-014');
  if (type <= 5) return undefined;
  if (!wide || mode === TABLE_MODE.legacy) return no('VTD-QI-013');
  if (type === 8 && !caps.deviceTlb) return no('VTD-QI-014');
  if ((type === 9 && !caps.pageRequests) || (type === 0xa && !caps.hostPermissions)) return no('VTD-QI-015');
  return undefined;
}

/** Fields that must be 0 and are not, and granularities that do not exist. */
function fieldErrors(name: Name, bits: bigint, context: DescriptorContext): readonly DescriptorError[] {
  const layout: DescriptorLayout = DESCRIPTORS[name];
  const wrong = (places: readonly Bits[], codes: readonly number[], clause: string): readonly DescriptorError[] =>
    places
      .filter((place) => isSet(bits, place))
      .map((place) => ({ codes, clause, causes: [`${name}${position(place)}`] }));
  const { reservedField, typeInvalid } = QUEUE_ERROR;
  // Facts 7.4 [i]: without interrupt remapping the whole type may be invalid.
  const ownField =
    name === 'iec_inv_dsc' && !context.caps.interruptRemapping ? [reservedField, typeInvalid] : [reservedField];
  const padding: readonly Bits[] = context.wide && layout.bytes === 16 ? [[255, 128]] : [];
  return [
    ...wrong(layout.reserved, ownField, 'VTD-QI-005'),
    ...wrong(withoutCapability(name, context.caps), [reservedField], 'VTD-QI-018'),
    ...granularityErrors(name, bits, context.caps),
    ...wrong(padding, [reservedField, typeInvalid], 'VTD-QI-006'),
  ];
}

/** VTD-QI-018: fields that are reserved without their capability. */
function withoutCapability(name: Name, caps: Capabilities): readonly Bits[] {
  if (name === 'inv_wait_dsc' && !caps.pageDrain) return [DESCRIPTORS.inv_wait_dsc.fields.PD];
  const { PFSID_LOW, PFSID_HIGH } = DESCRIPTORS.dev_tlb_inv_dsc.fields;
  return name === 'dev_tlb_inv_dsc' && !caps.deviceTlbThrottle ? [PFSID_LOW, PFSID_HIGH] : [];
}

/** VTD-QI-006, VTD-QI-019, N32: granularities that do not exist; which code is free. */
function granularityErrors(name: Name, bits: bigint, caps: Capabilities): readonly DescriptorError[] {
  const bad: Partial<Record<Name, readonly number[]>> = {
    cc_inv_dsc: [0],
    iotlb_inv_dsc: [0],
    p_iotlb_inv_dsc: [0, 1],
    pc_inv_dsc: [2],
  };
  const given = Number(field(bits, [5, 4]));
  const codes = [QUEUE_ERROR.reservedField, QUEUE_ERROR.typeInvalid];
  if (bad[name]?.includes(given)) return [{ codes, clause: 'VTD-QI-006', causes: [`${name}.G=${given}`] }];
  if (name !== 'iotlb_inv_dsc' || given !== 3 || caps.pageSelective) return [];
  return [{ codes, clause: 'VTD-QI-019', causes: ['iotlb_inv_dsc.G=3 with PSI=0'] }];
}

/** What a descriptor without errors asks for. */
function commandsOf(name: Name, bits: bigint, { caps }: DescriptorContext): readonly Decoded[] {
  const mayRefuse = (clause: string, cause: string): Decoded =>
    refused([QUEUE_ERROR.reservedField, QUEUE_ERROR.typeInvalid], clause, cause);
  const granularity = Number(field(bits, [5, 4]));
  switch (name) {
    case 'cc_inv_dsc':
      return [{ kind: 'invalidate', scope: contextDescriptorScope(bits, caps) }];
    case 'iotlb_inv_dsc': {
      const beyond = granularity === 3 && Number(field(bits, [69, 64])) > caps.maximumAddressMask;
      const command: Decoded = { kind: 'invalidate', scope: iotlbDescriptorScope(bits, caps) };
      // N33: performed coarser, or refused.
      return beyond ? [command, mayRefuse('VTD-QI-005', 'iotlb_inv_dsc.AM above MAMV')] : [command];
    }
    case 'iec_inv_dsc': {
      // Facts 7.4 [i]: without interrupt remapping the type is invalid, or there is nothing to invalidate.
      if (!caps.interruptRemapping) return [{ kind: 'other' }, mayRefuse('VTD-QI-004', 'iec_inv_dsc with IR=0')];
      const beyond = isSet(bits, [4, 4]) && Number(field(bits, [31, 27])) > caps.maximumHandleMask;
      return beyond ? [{ kind: 'other' }, mayRefuse('VTD-QI-005', 'iec_inv_dsc.IM above MHMV')] : [{ kind: 'other' }];
    }
    case 'inv_wait_dsc':
      return waitCommands(bits, caps);
    case 'dev_tlb_inv_dsc':
      return [{ kind: 'undecided', reason: 'Device-TLB invalidation is not specified yet' }];
    default:
      return [{ kind: 'other' }];
  }
}

/**
 * A wait. Facts 7.5, N56: status address bits at or above HAW are ignored; as they name no memory, a unit may also
 * refuse the descriptor, or write nothing.
 */
function waitCommands(bits: bigint, caps: Capabilities): readonly Decoded[] {
  const { SW, STATUS_ADDRESS } = DESCRIPTORS.inv_wait_dsc.fields;
  const command = waitCommand(bits, caps);
  const beyond = isSet(bits, SW) && (field(bits, STATUS_ADDRESS) << 2n) >> BigInt(caps.hostAddressWidth) !== 0n;
  if (!beyond || command.kind !== 'wait') return [command];
  const { fetchFailed, typeInvalid, reservedField } = QUEUE_ERROR;
  const cause = 'status address at or above HAW';
  return [
    command,
    { ...command, status: undefined },
    refused([fetchFailed, typeInvalid, reservedField], 'VTD-QI-005', cause),
  ];
}

/** VTD-WAIT-001 to VTD-WAIT-007: the flags of a wait. */
function waitCommand(bits: bigint, caps: Capabilities): Command {
  const { IF, SW, FN, STATUS_DATA, STATUS_ADDRESS } = DESCRIPTORS.inv_wait_dsc.fields;
  const address = (field(bits, STATUS_ADDRESS) << 2n) & ((1n << BigInt(caps.hostAddressWidth)) - 1n);
  return {
    kind: 'wait',
    status: isSet(bits, SW) ? { address, data: Number(field(bits, STATUS_DATA)) } : undefined,
    interrupt: isSet(bits, IF),
    fence: isSet(bits, FN),
  };
}

/** What a unit that does not look at reserved fields makes of a descriptor, when it is one. */
export function lenientCommand(bits: bigint, context: DescriptorContext): Command {
  const name = nameOf(Number(field(bits, DESCRIPTOR_TYPE.low)));
  if (name === undefined) return { kind: 'other' };
  const [command] = commandsOf(name, bits, context);
  return command === undefined || command.kind === 'error' || command.kind === 'undecided'
    ? { kind: 'other' }
    : command;
}
