import { FAULT, TABLE_MODE } from '../../spec/layout/vtd.js';
import { ACCESS, type Access, needsNothing, refusalOf } from './access.js';
import type { CacheInvalidation } from './cache-invalidation.js';
import { type Caches, createCaches } from './caches.js';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import { ContextLookup } from './context.js';
import type { MessageSink } from './events.js';
import type { FaultLog } from './faults.js';
import { Found } from './found.js';
import { GlobalCommand } from './global-command.js';
import { INTERRUPT_MASK, INTERRUPT_PREFIX } from './interrupt-range.js';
import { RegisterInvalidation } from './invalidation.js';
import { ENTRY, type Iotlb, MOST_ADDRESS_BITS } from './iotlb.js';
import type { PhysicalMemory } from './memory.js';
import { ProtectedMemory } from './protected-memory.js';
import { InvalidationQueue } from './queue.js';
import type { RegisterFile } from './registers.js';
import { ResumedWalk } from './resumed-walk.js';
import { RootTable } from './root-table.js';
import type { Shape } from './shapes.js';
import { StraightWalk } from './straight-walk.js';
import { ORDINARY_PARTS, type UnitParts } from './unit-parts.js';
import { ExactWalk } from './walk.js';

/** What became of a request, where it is not the (positive) fault reason. */
export const OUTCOME = {
  /** It goes to memory at `outHigh`, `outLow`. */
  translated: 0,
  /** It is an interrupt request, to be sent as a message. */
  interrupt: -1,
  /** It was to go to protected memory: it is blocked, and no fault is recorded. */
  protected: -2,
} as const;

// Constants of this module are known to the compiler; those of others are loaded each time.
const TRANSLATED = OUTCOME.translated;
/** No translated address has more bits than this in its high half. */
const ADDRESS_BITS = MOST_ADDRESS_BITS - 32;
/** What no address shifted by these bits equals. */
const NEVER = -1;
const SILENT = ENTRY.silent;
const RANGE_MASK = INTERRUPT_MASK;
const RANGE_PREFIX = INTERRUPT_PREFIX;
const SNOOP = ENTRY.snoop;

/** What a remapping unit is made of. */
export interface UnitOptions {
  readonly shape: Shape;
  /** Host-physical memory, where the tables lie. */
  readonly memory: PhysicalMemory;
  /** Receives the messages of the unit's fault and completion events. */
  readonly sendMessage: MessageSink;
  /** Where a unit that behaves at random starts, 32 bits. */
  readonly seed?: number;
}

/**
 * A DMA-remapping unit in legacy mode. 64-bit addresses are pairs of int32 halves; a translation leaves its result in
 * `outHigh` and `outLow` and allocates nothing.
 */
export class RemappingUnit {
  readonly capabilities: Capabilities;
  readonly registers: RegisterFile;
  protected readonly caches: Caches;
  private readonly found = new Found();
  private readonly context: ContextLookup;
  private readonly rootTable: RootTable;
  private readonly straight: StraightWalk;
  private readonly resumed: ResumedWalk;
  /** Whether there are paging-structure caches, from which walks are resumed; not 0 for yes. */
  private readonly remembers: number;
  private readonly invalidation: CacheInvalidation;
  private readonly parts: UnitParts;
  private readonly faults: FaultLog;
  private readonly protectedMemory: ProtectedMemory;
  private readonly queue: InvalidationQueue | undefined;
  private readonly iotlb: Iotlb;
  /** 0 while requests are looked for in the IOTLB first, else {@link NEVER}: equal to an address's uppermost bits where it is. */
  private lookUp = NEVER;
  /** Whether some memory is protected; not 0 for yes. */
  private shielded = 0;
  /** TES. */
  private enabled = false;
  /** Whether tables are in use: it is on, and their mode gives no fault. Not 0 for yes, which is quicker to test. */
  protected translating = 0;

  constructor({ shape, memory, sendMessage }: UnitOptions, parts: UnitParts = ORDINARY_PARTS) {
    this.capabilities = capabilitiesOf(shape);
    this.parts = parts;
    this.registers = parts.registers(this.capabilities);
    const zeroLengthReads = needsNothing(ACCESS.zeroLengthRead, this.capabilities);
    this.caches = createCaches(shape.caches, parts.iotlb(shape.caches.iotlb, zeroLengthReads, this.found));
    this.iotlb = this.caches.iotlb;
    this.invalidation = parts.invalidation(this.caches, this.capabilities);
    this.context = new ContextLookup(memory, this.capabilities, this.caches.roots, this.caches.contexts);
    this.rootTable = new RootTable(this.registers, this.capabilities, this.context, () => this.invalidation.flush());
    const exact = new ExactWalk(memory, this.capabilities, this.context, this.caches, this.found);
    this.remembers = shape.caches.structure === 0 ? 0 : 1;
    this.straight = new StraightWalk(memory, this.context, this.caches, exact, this.found);
    this.resumed = new ResumedWalk(memory, this.context, this.caches, exact, this.found);
    this.faults = parts.faults(this.registers, this.capabilities, sendMessage);
    this.protectedMemory = new ProtectedMemory(this.registers, this.capabilities, () => this.decideWay());
    this.queue = this.capabilities.queuedInvalidation ? this.createQueue(memory, sendMessage) : undefined;
    // The registers reach these by their handlers; they keep nothing that is needed here.
    new RegisterInvalidation({ ...this.commandParts(), isLegacy: () => this.rootTable.mode === TABLE_MODE.legacy });
    new GlobalCommand(this.registers, this.capabilities, parts.pace, {
      rootTable: () => {
        const latch = this.rootTable.take();
        return () => {
          latch();
          this.decideWay();
        };
      },
      enableTranslation: (on) => {
        this.enabled = on;
        this.decideWay();
      },
      enableQueue: (on) => this.queue?.enable(on),
      restartFaults: () => this.faults.restart(),
    });
    this.reset('cold');
  }

  /** Host address of the last request that was {@link OUTCOME.translated}. */
  get outHigh(): number {
    return this.found.high;
  }

  get outLow(): number {
    return this.found.low;
  }

  /** Whether that request is to be snooped whatever its no-snoop attribute says; not 0 then. */
  get forcesSnoop(): number {
    return this.found.flags & SNOOP;
  }

  /** Resets the unit; a `warm` reset keeps the sticky fault records and status. Nothing stays cached. */
  reset(scope: 'warm' | 'cold'): void {
    this.parts.reset(scope);
    this.invalidation.flush();
    this.enabled = false;
    this.rootTable.reset();
    this.registers.reset(scope);
    this.faults.restart();
    this.queue?.enable(false);
    this.protectedMemory.update();
    this.decideWay();
  }

  /** Time passes: what was begun gets on. Registers and requests do this, too. */
  elapse(): void {}

  /** Everything that was begun is done when this returns. */
  settle(): void {
    this.parts.pace.finish();
  }

  /**
   * Decides one request without PASID that stays inside a 4 KiB page; a refused one is recorded as a fault as the
   * architecture asks.
   *
   * @param routingId 16 bits
   * @param high high half of the address, int32
   * @param low low half, int32
   * @returns a value of {@link OUTCOME}, or the fault reason, which is positive
   */
  translate(routingId: number, high: number, low: number, access: Access): number {
    if (high >>> ADDRESS_BITS === this.lookUp) {
      const flags = this.iotlb.find(routingId, high, low);
      if (((flags >>> access) & 1) !== 0) {
        return TRANSLATED;
      }
      if (flags !== 0) {
        return this.decideHit(flags, routingId, high, low, access);
      }
    }
    return this.decide(routingId, high, low, access);
  }

  /** What becomes of a request whose translation the IOTLB holds, without the permissions needed. */
  private decideHit(flags: number, routingId: number, high: number, low: number, access: Access): number {
    return this.refusesHit(flags)
      ? this.refuseHit(flags, routingId, high, low, access)
      : this.decide(routingId, high, low, access);
  }

  /**
   * What becomes of a request that the IOTLB does not serve. What is rare is in methods of its own: what the
   * compiler puts into one piece of code is limited, and a hit and a walk fit only just, with the loop that asks for them.
   */
  private decide(routingId: number, high: number, low: number, access: Access): number {
    return this.shielded === 0
      ? this.decideByTables(routingId, high, low, access)
      : this.decideShielded(routingId, high, low, access);
  }

  /** As {@link decide} while some memory is protected. */
  private decideShielded(routingId: number, high: number, low: number, access: Access): number {
    const outcome = this.decideUnshielded(routingId, high, low, access);
    return outcome === TRANSLATED ? this.shield() : outcome;
  }

  /** What the IOTLB or the tables say while some memory is protected. */
  private decideUnshielded(routingId: number, high: number, low: number, access: Access): number {
    if (this.translating !== 0 && high >>> ADDRESS_BITS === 0) {
      const flags = this.iotlb.find(routingId, high, low);
      if (((flags >>> access) & 1) !== 0) {
        return TRANSLATED;
      }
      if (flags !== 0 && this.refusesHit(flags)) {
        return this.refuseHit(flags, routingId, high, low, access);
      }
    }
    return this.decideByTables(routingId, high, low, access);
  }

  private decideByTables(routingId: number, high: number, low: number, access: Access): number {
    if (high === 0 && (low & RANGE_MASK) === RANGE_PREFIX) {
      return this.interruptRange(routingId, high, low, access);
    }
    if (this.translating !== 0) {
      const reason = this.resolve(routingId, high, low, access);
      if (reason === 0) {
        return TRANSLATED;
      }
      return this.refuseByTables(reason, routingId, high, low, access);
    }
    return this.decideUntranslated(routingId, high, low, access);
  }

  /** A request while no tables are in use. */
  private decideUntranslated(routingId: number, high: number, low: number, access: Access): number {
    if (this.enabled) {
      // Faults that FPD cannot silence come before a context entry was read.
      return this.refuse(this.rootTable.fault, 0, routingId, high, low, access);
    }
    return this.pass(high, low);
  }

  /** A request that goes to the address it names. */
  private pass(high: number, low: number): number {
    const { found } = this;
    found.high = high;
    found.low = low;
    found.flags = 0;
    return TRANSLATED;
  }

  /** A translated request where some memory is protected. */
  private shield(): number {
    const { high, low } = this.found;
    return this.protectedMemory.covers(high, low) ? OUTCOME.protected : TRANSLATED;
  }

  /** Finds the context of a requester, as a request of it would. */
  protected findContext(routingId: number): void {
    this.context.lookUp(routingId);
  }

  /** Whether a translation found in the IOTLB without the permissions needed refuses the request. */
  protected refusesHit(_flags: number): boolean {
    return true;
  }

  /** What context and paging entries say; a translation is put into the IOTLB. Gives 0 or the fault reason. */
  protected resolve(routingId: number, high: number, low: number, access: Access): number {
    return this.remembers === 0
      ? this.straight.resolve(routingId, high, low, access)
      : this.resumed.resolve(routingId, high, low, access);
  }

  /** Requests to the interrupt range are never looked up in tables. */
  private interruptRange(routingId: number, high: number, low: number, access: Access): number {
    if (access === ACCESS.dwordWrite) {
      return OUTCOME.interrupt;
    }
    if (!this.enabled || access === ACCESS.zeroLengthRead) {
      return this.pass(high, low);
    }
    this.faults.record(FAULT.INTERRUPT_RANGE_REQUEST, routingId, high, low, access & 1);
    return FAULT.INTERRUPT_RANGE_REQUEST;
  }

  /** Refuses a request after its context entry was looked for. */
  private refuseByTables(reason: number, routingId: number, high: number, low: number, access: Access): number {
    return this.refuse(reason, this.context.faultProcessingDisable, routingId, high, low, access);
  }

  /** Refuses a request for which a translation with these flags was found in the IOTLB. */
  private refuseHit(flags: number, routingId: number, high: number, low: number, access: Access): number {
    return this.refuse(refusalOf(access), flags & SILENT, routingId, high, low, access);
  }

  /** Records the fault unless `silent` (FPD) is not 0; gives its reason. */
  private refuse(reason: number, silent: number, routingId: number, high: number, low: number, access: Access): number {
    if (silent === 0) {
      this.faults.record(reason, routingId, high, low, access & 1);
    }
    return reason;
  }

  private createQueue(memory: PhysicalMemory, sendMessage: MessageSink): InvalidationQueue {
    const { faults } = this;
    return new InvalidationQueue({
      ...this.commandParts(),
      memory,
      faults,
      sendMessage,
      mode: () => this.rootTable.mode,
    });
  }

  private commandParts() {
    const { registers, capabilities, invalidation, parts } = this;
    return { registers, capabilities, invalidation, pace: parts.pace };
  }

  /** Takes up that translation, the table mode, or what is protected may have changed. */
  private decideWay(): void {
    this.translating = this.enabled && this.rootTable.fault === 0 ? 1 : 0;
    this.shielded = this.protectedMemory.active;
    const looks = this.translating !== 0 && this.iotlb.size !== 0 && this.shielded === 0;
    this.lookUp = looks ? 0 : NEVER;
  }
}
