/**
 * Hardware operations: the boundary between software, devices and hardware. A
 * scenario is a list of these; it is data, means the same on every target, and
 * knows no architecture by name.
 *
 * Addresses and register values are `bigint` in memory and "0x…" strings in
 * JSON. All values are little-endian.
 */

/**
 * A value that is known only when the scenario runs: bits `field[0]..field[1]`
 * (high, low, inclusive) of the value that operation number `ref` observed,
 * times `scale`, plus `plus`.
 */
export interface Reference {
  /** Index of an earlier operation whose observation carries a `value`. */
  readonly ref: number;
  /** Bits taken, high then low; the whole value when absent. */
  readonly field?: readonly [number, number];
  readonly scale?: number;
  readonly plus?: bigint;
}

/** A literal value or a reference to an earlier observation. */
export type Operand = bigint | Reference;

/** How a register is named: a component of the profile, and a register name of that component's architecture. */
export interface RegisterAddress {
  /** Key in `Profile.components`. */
  readonly component: string;
  /** Name from the architecture's layout ("GSTS"), or a raw byte offset ("0x1c"). */
  readonly register: string;
  /** Which one, for registers that exist several times (default 0). */
  readonly index?: Operand;
  /** Byte offset inside the register, for partial access (default 0). */
  readonly offset?: number;
  /** Access width in bytes. */
  readonly size: 4 | 8;
}

/** Software stores 64-bit words, in order, as one bulk store visible at one instant. */
export interface StoreOperation {
  readonly op: 'store';
  /** Host-physical byte address, 8-byte aligned. */
  readonly address: bigint;
  readonly words: readonly bigint[];
  /** How many times the words are repeated one after the other (default 1). */
  readonly repeat?: number;
}

/** Software fills memory with the paint that names every frame (see layout/tokens). */
export interface PaintOperation {
  readonly op: 'paint';
  /** Host-physical byte address, 8-byte aligned. */
  readonly address: bigint;
  /** Multiple of 8. */
  readonly bytes: number;
}

/** Software reads memory. */
export interface LoadOperation {
  readonly op: 'load';
  /** Host-physical byte address, 8-byte aligned. */
  readonly address: bigint;
  /** Multiple of 8. */
  readonly bytes: number;
}

export interface RegisterWriteOperation extends RegisterAddress {
  readonly op: 'regWrite';
  readonly value: Operand;
}

export interface RegisterReadOperation extends RegisterAddress {
  readonly op: 'regRead';
}

/** Reads a register again and again until `(value & mask) === expect`, at most `limit` times. */
export interface PollOperation extends RegisterAddress {
  readonly op: 'poll';
  readonly mask: bigint;
  readonly expect: bigint;
  /** Most reads made; reaching it is observed as `satisfied: false`. */
  readonly limit: number;
}

/** Reads PCI configuration space. */
export interface ConfigReadOperation {
  readonly op: 'configRead';
  /** Routing ID, 16 bits. */
  readonly function: number;
  readonly offset: number;
  readonly size: 1 | 2 | 4;
}

/** Writes PCI configuration space. */
export interface ConfigWriteOperation {
  readonly op: 'configWrite';
  readonly function: number;
  readonly offset: number;
  readonly size: 1 | 2 | 4;
  readonly value: Operand;
}

/** A device reads or writes memory: one request of `bytes` bytes. */
export interface DmaOperation {
  readonly op: 'dma';
  /** Key in `Profile.requesters`. */
  readonly requester: string;
  /** PASID of the request, when it carries one (20 bits). */
  readonly pasid?: number;
  /** I/O virtual byte address, 64 bits. */
  readonly address: bigint;
  readonly direction: 'read' | 'write';
  /** Length in bytes; 0 only for a read, which then is a zero-length read. */
  readonly bytes: number;
  /**
   * For a write: which of the requester's tokens it carries (see layout/tokens).
   * For a read: which slot of the device's buffer receives the data. Below `Profile.limits.tokens`,
   * and used once per requester, direction and scenario, so that a stray byte names its operation.
   */
  readonly token: number;
  /** The request's no-snoop attribute (NS=1); only from a requester that can set it. */
  readonly noSnoop?: boolean;
}

/** A device signals an interrupt with a 4-byte memory write (MSI). */
export interface MessageOperation {
  readonly op: 'message';
  readonly requester: string;
  readonly address: bigint;
  /** 32 bits. */
  readonly data: bigint;
}

/**
 * A device raises its interrupt. What it sends, if anything, is what its MSI capability says
 * (`Requester.msiCapability`), which software has programmed with `configWrite`.
 */
export interface SignalOperation {
  readonly op: 'signal';
  readonly requester: string;
}

/** A guest's CPU access. */
export interface CpuOperation {
  readonly op: 'cpu';
  readonly vcpu: string;
  /** Linear address, 64 bits. */
  readonly address: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly bytes: number;
  readonly token: number;
}

/** Reads the state of an interrupt controller: which vectors are requested and in service. */
export interface ControllerReadOperation {
  readonly op: 'controllerRead';
  readonly controller: string;
}

/** Signals end of interrupt to an interrupt controller. */
export interface EndOfInterruptOperation {
  readonly op: 'eoi';
  readonly controller: string;
}

/** Lets everything in flight come to rest: afterwards nothing is pending that time alone would finish. */
export interface SettleOperation {
  readonly op: 'settle';
}

/** Resets the platform. `warm` keeps memory and sticky registers, `cold` is power-good reset. */
export interface ResetOperation {
  readonly op: 'reset';
  readonly scope: 'warm' | 'cold';
}

/** One hardware operation. */
export type Operation =
  | StoreOperation
  | PaintOperation
  | LoadOperation
  | RegisterWriteOperation
  | RegisterReadOperation
  | PollOperation
  | ConfigReadOperation
  | ConfigWriteOperation
  | DmaOperation
  | MessageOperation
  | SignalOperation
  | CpuOperation
  | ControllerReadOperation
  | EndOfInterruptOperation
  | SettleOperation
  | ResetOperation;

/** Name of an operation. */
export type OperationName = Operation['op'];
