import { FRAME_BYTES } from '../../spec/layout/tokens.js';
import {
  ADDRESS_WIDTHS,
  CAP_FIELDS,
  ECAP_FIELDS,
  GLOBAL_COMMAND,
  RTADDR_FIELDS,
  TABLE_MODE,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import { compose, field } from './fields.js';
import { issue, type Task } from './task.js';

/** What the hypervisor found the remapping unit to be. */
export interface Capabilities {
  /** Value of AW for its page tables, and their levels. */
  readonly addressWidth: { readonly aw: number; readonly levels: number };
  readonly queue: boolean;
  readonly pageSelective: boolean;
  readonly drainReads: boolean;
  readonly drainWrites: boolean;
}

/** The unit did not do in time what it was asked. */
export class UnitStuck extends Error {}

/** Reads of a status before the unit counts as stuck. */
export const PATIENCE = 200;

/** Status bits of GSTS that a command must repeat: everything that is not one-shot. */
const LASTING = (1n << BigInt(GLOBAL_COMMAND.TE)) | (1n << BigInt(GLOBAL_COMMAND.QIE));

/** The registers of a remapping unit. */
export class UnitRegisters {
  readonly component: string;

  constructor(component: string) {
    this.component = component;
  }

  *read(register: keyof typeof VTD_REGISTERS): Task<bigint> {
    const { bytes } = VTD_REGISTERS[register];
    const observed = yield* issue({ op: 'regRead', component: this.component, register, size: bytes });
    if (observed.of !== 'regRead' || observed.value === undefined) throw new UnitStuck(`${register} was not observed`);
    return observed.value;
  }

  *write(register: string, size: 4 | 8, value: bigint): Task<void> {
    yield* issue({ op: 'regWrite', component: this.component, register, size, value });
  }

  /** Waits until the bits of `mask` read as `expect`. @throws UnitStuck */
  *await(register: string, size: 4 | 8, mask: bigint, expect: bigint): Task<void> {
    const { component } = this;
    const observed = yield* issue({ op: 'poll', component, register, size, mask, expect, limit: PATIENCE });
    if (observed.of !== 'poll' || observed.satisfied !== true) throw new UnitStuck(`${register} does not change`);
  }

  /** Gives a global command, keeping what lasts, and waits for its status. */
  *command(bit: number): Task<void> {
    const status = yield* this.read('GSTS');
    const mask = 1n << BigInt(bit);
    yield* this.write('GCMD', 4, (status & LASTING) | mask);
    yield* this.await('GSTS', 4, mask, mask);
  }

  *capabilities(): Task<Capabilities> {
    const cap = yield* this.read('CAP');
    const ecap = yield* this.read('ECAP');
    const has = (bits: readonly [number, number], value: bigint): boolean => field(value, bits) !== 0n;
    const sagaw = field(cap, CAP_FIELDS.SAGAW);
    const width = ([1, 2, 3] as const).find((aw) => ((sagaw >> BigInt(ADDRESS_WIDTHS[aw].sagaw)) & 1n) === 1n);
    if (width === undefined) throw new UnitStuck('the unit has no address width that is known');
    return {
      addressWidth: { aw: width, levels: ADDRESS_WIDTHS[width].levels },
      queue: has(ECAP_FIELDS.QI, ecap),
      pageSelective: has(CAP_FIELDS.PSI, cap),
      drainReads: has(CAP_FIELDS.DRD, cap),
      drainWrites: has(CAP_FIELDS.DWD, cap),
    };
  }

  /** Makes a root table the one that is used; what was remembered of the last one is still to be invalidated. */
  *latchRoot(table: bigint): Task<void> {
    const value = compose([RTADDR_FIELDS.TTM, TABLE_MODE.legacy]) | table;
    yield* this.write('RTADDR', 8, value);
    yield* this.command(GLOBAL_COMMAND.SRTP);
  }

  /** Switches translation on, unless it is. */
  *translate(): Task<void> {
    const on = 1n << BigInt(GLOBAL_COMMAND.TE);
    if (((yield* this.read('GSTS')) & on) === 0n) yield* this.command(GLOBAL_COMMAND.TE);
  }
}

/** Bytes of the queue and of a table. */
export const PAGE = BigInt(FRAME_BYTES);
