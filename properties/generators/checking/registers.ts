import type {
  PollOperation,
  RegisterReadOperation,
  RegisterWriteOperation,
} from '../../../spec/interface/operations.js';

/** A register access of any kind. */
export type RegisterOperation = RegisterReadOperation | RegisterWriteOperation | PollOperation;

/** Registers of 32 bits; FRCD has 128, all others have 64. */
const DWORDS = new Set(
  'VER GCMD GSTS FSTS FECTL FEDATA FEADDR FEUADDR PMEN PLMBASE PLMLIMIT ICS IECTL IEDATA IEADDR IEUADDR'.split(' '),
);

const RAW_DWORDS = new Set(['0xdc', '0xe0', '0xe4', '0xe8', '0xec']);

/** Reserved bits that software must write back as it read them. */
const PRESERVED: Readonly<Record<string, bigint>> = {
  FECTL: 0x3fff_ffffn,
  IECTL: 0x3fff_ffffn,
  PMEN: 0x7fff_fffen,
  IOTLB: 0xffff_ffffn,
};

function bytesOf(register: string): number {
  if (register === 'FRCD') return 16;
  return DWORDS.has(register) || RAW_DWORDS.has(register) ? 4 : 8;
}

/** What is wrong with the width, place or bits of an access. */
export function accessFault(operation: RegisterOperation): string | undefined {
  const { register, size, offset = 0 } = operation;
  const bytes = bytesOf(register);
  if (size > bytes || offset % size !== 0 || offset + size > bytes) return `${size} bytes at ${offset} of ${register}`;
  if (operation.op !== 'regWrite' || typeof operation.value !== 'bigint') return undefined;
  const { value } = operation;
  if (value < 0n || value >= 1n << BigInt(8 * size)) return `value of ${register} does not fit`;
  const touched = value << BigInt(8 * offset);
  return (touched & (PRESERVED[register] ?? 0n)) === 0n ? undefined : `preserved bits of ${register}`;
}

const TE = 1n << 31n;
const SRTP = 1n << 30n;
const WBF = 1n << 27n;
const QIE = 1n << 26n;
const IRE = 1n << 25n;
const SIRTP = 1n << 24n;
const ALL = TE | SRTP | WBF | QIE | IRE | SIRTP;

/** Follows GCMD: one change at a time, each awaited, in a lawful order. */
export class CommandChecker {
  translating: boolean;
  queue = false;
  interrupts = false;
  /** A table of interrupts was latched. */
  #interruptTable = false;
  /** A root was latched since translation was last off. */
  #latched: boolean;
  #awaited = 0n;
  readonly #mayTurnOff: boolean;

  constructor(start: 'reset' | 'ready', mayTurnOff: boolean) {
    this.translating = start === 'ready';
    this.#latched = this.translating;
    this.#mayTurnOff = mayTurnOff;
  }

  write(value: bigint): string | undefined {
    if (value & ~ALL) return 'bits of GCMD';
    if (this.#awaited !== 0n) return 'command before the last one was seen done';
    const changes = value ^ this.#persistent;
    if (changes & (changes - 1n)) return 'several commands at once';
    this.#awaited = changes;
    if (changes === SRTP) this.#latched = true;
    if (changes === TE) return this.#translate((value & TE) !== 0n);
    if (changes === SIRTP) this.#interruptTable = true;
    if (changes === IRE) {
      this.interrupts = !this.interrupts;
      if (this.interrupts && !(this.#interruptTable && this.queue)) return 'interrupt remapping without table or queue';
    }
    if (changes === QIE) {
      this.queue = !this.queue;
      if (this.interrupts) return 'queue off while interrupts are remapped';
    }
    return undefined;
  }

  get #persistent(): bigint {
    return (this.translating ? TE : 0n) | (this.queue ? QIE : 0n) | (this.interrupts ? IRE : 0n);
  }

  #translate(on: boolean): string | undefined {
    this.translating = on;
    if (on) return this.#latched ? undefined : 'translation on without a latched root';
    this.#latched = false;
    return this.#mayTurnOff ? undefined : 'translation turned off';
  }

  poll(mask: bigint, expect: bigint): string | undefined {
    if (mask !== this.#awaited) return 'poll of another command';
    this.#awaited = 0n;
    const wanted = mask & (SRTP | SIRTP) ? mask : this.#persistent & mask;
    return expect === wanted ? undefined : 'poll for the wrong status';
  }
}

/** Follows the message registers of an event: what may be sent is a fixed interrupt with a vector of 40h or more. */
export class EventChecker {
  #masked = true;
  #data = 0n;
  #address = 0n;

  /** `which` is the register's name without "FE" or "IE". */
  write(which: string, value: bigint): string | undefined {
    if (which === 'CTL') this.#masked = (value & (1n << 31n)) !== 0n;
    else if (!this.#masked) return 'message changed while not masked';
    if (which === 'DATA') this.#data = value;
    if (which === 'ADDR') this.#address = value;
    if (which === 'UADDR' && value !== 0n) return 'message to another address';
    if (this.#masked) return undefined;
    const good = this.#data >= 0x40n && this.#data <= 0xffn && this.#address === 0xfee0_0000n;
    return good ? undefined : 'message that is no plain interrupt';
  }
}

const EPM = 1n << 31n;

/** Follows PMEN: each change awaited, and bases and limits left alone from EPM=1 until PRS=0 was seen. */
export class ProtectionChecker {
  #on = false;
  #awaited = false;

  write(register: string, value: bigint): string | undefined {
    if (register !== 'PMEN') return this.#on || this.#awaited ? `${register} while protected` : undefined;
    const on = (value & EPM) !== 0n;
    const early = this.#awaited;
    this.#awaited = on !== this.#on;
    this.#on = on;
    return early ? 'PMEN before the last change was seen done' : undefined;
  }

  poll(mask: bigint, expect: bigint): string | undefined {
    this.#awaited = false;
    return mask === 1n && expect === (this.#on ? 1n : 0n) ? undefined : 'poll for the wrong PRS';
  }

  /** What is wrong with a request now. */
  request(): string | undefined {
    return this.#awaited ? 'request while PRS changes' : undefined;
  }
}
