/** A profile says what a target is: capabilities, requesters, address map, limits. Data only. */

/** A hardware unit with registers. What the numbers mean is known to the architecture's part of spec/. */
export interface Component {
  /** Which part of spec/ describes it, for example "vtd". */
  readonly architecture: string;
  /** Revision of the document that the unit follows, for example "5.10". */
  readonly revision: string;
  /** Raw values of its capability registers, by name. */
  readonly registers: Readonly<Record<string, bigint>>;
  /** Numbers that the unit's registers do not tell, by name, for example "hostAddressWidth". */
  readonly parameters: Readonly<Record<string, number>>;
}

/** A function that can issue requests. */
export interface Requester {
  readonly id: string;
  /** Bus[15:8], device[7:3], function[2:0]. */
  readonly routingId: number;
  /** The component that translates its requests. */
  readonly component: string;
  readonly dma: boolean;
  readonly msi: boolean;
  /** Width of the PASIDs it can send, 0 when none. */
  readonly pasidBits: number;
  /** Whether it can send reads of no bytes; absent means no. */
  readonly zeroLengthReads?: boolean;
  /** Whether it can set the no-snoop attribute of its requests; absent means no. */
  readonly noSnoop?: boolean;
  /**
   * Byte offset in configuration space of its MSI capability: 64-bit address, one message, no mask per vector. Absent:
   * it has none that scenarios may use.
   */
  readonly msiCapability?: number;
}

/**
 * One piece of the host-physical address map. What no region covers is a hole.
 * `reserved` is memory that the target keeps for itself: scenarios stay away from it.
 */
export interface MemoryRegion {
  readonly kind: 'ram' | 'device' | 'reserved';
  readonly base: bigint;
  readonly bytes: bigint;
}

/** Limits of what a target can do in one scenario. */
export interface Limits {
  /** Number of tokens (and of read slots) each requester has in a scenario. */
  readonly tokens: number;
  /** Longest DMA request in bytes. */
  readonly dmaBytes: number;
}

/** What a target is. Optional hardware behaviour follows from it. */
export interface Profile {
  readonly name: string;
  /** Implementation and version, for people, for example "QEMU 7.2.22". */
  readonly implementation: string;
  readonly components: Readonly<Record<string, Component>>;
  readonly requesters: readonly Requester[];
  readonly memory: readonly MemoryRegion[];
  /** The memory that scenarios may use; inside one `ram` region, frame aligned. */
  readonly arena: { readonly base: bigint; readonly bytes: number };
  readonly limits: Limits;
}
