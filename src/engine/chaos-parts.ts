import { CacheInvalidation, type ContextCover, type TranslationCover } from './cache-invalidation.js';
import type { Caches } from './caches.js';
import type { Capabilities } from './capabilities.js';
import type { Chance } from './chance.js';
import type { MessageSink } from './events.js';
import { FaultLog } from './faults.js';
import type { Found } from './found.js';
import { ENTRY, Iotlb } from './iotlb.js';
import { RegisterFile } from './registers.js';

/** A register file in whose reads and writes time passes. */
export class ChaosRegisters extends RegisterFile {
  private readonly chance: Chance;
  private readonly elapse: () => void;

  constructor(capabilities: Capabilities, chance: Chance, elapse: () => void) {
    super(capabilities);
    this.chance = chance;
    this.elapse = elapse;
  }

  override read(offset: number): number {
    this.elapse();
    return super.read(offset);
  }

  override write(offset: number, value: number): void {
    this.chance.stir(offset ^ value);
    this.elapse();
    super.write(offset, value);
  }
}

/** Faults of a source-id that has a record already may be dropped (N18). */
export class ChaosFaults extends FaultLog {
  private readonly chance: Chance;

  constructor(registers: RegisterFile, capabilities: Capabilities, sendMessage: MessageSink, chance: Chance) {
    super(registers, capabilities, sendMessage);
    this.chance = chance;
  }

  override record(reason: number, routingId: number, high: number, low: number, isWrite: number): void {
    if (!(this.isPending(routingId) && this.chance.once(2))) {
      super.record(reason, routingId, high, low, isWrite);
    }
  }
}

/** Translations may be kept in smaller pages than the tables have, and with fewer permissions than they grant. */
export class ChaosIotlb extends Iotlb {
  private readonly chance: Chance;

  constructor(size: number, zeroLengthReads: boolean, found: Found, chance: Chance) {
    super(size, zeroLengthReads, found);
    this.chance = chance;
  }

  override fillSmall(...entry: Parameters<Iotlb['fillSmall']>): void {
    this.keep(1, ...entry);
  }

  protected override keep(
    level: number,
    sourceId: number,
    domain: number,
    high: number,
    low: number,
    outHigh: number,
    outLow: number,
    flags: number,
  ): void {
    const { chance } = this;
    if (chance.once(8)) {
      return;
    }
    const kept = level > 1 && chance.once(2) ? 1 + chance.below(level - 1) : level;
    super.keep(kept, sourceId, domain, high, low, outHigh, outLow, this.fewer(flags));
  }

  /** One of two permissions may be left out; the entry then says so. */
  private fewer(flags: number): number {
    if ((flags & ENTRY.permissions) !== ENTRY.permissions || !this.chance.once(4)) {
      return flags;
    }
    return (flags & ~(1 << this.chance.below(2))) | ENTRY.partial;
  }
}

/** Invalidations may remove more than asked (N4). */
export class ChaosInvalidation extends CacheInvalidation {
  private readonly chance: Chance;

  constructor(caches: Caches, capabilities: Capabilities, chance: Chance) {
    super(caches, capabilities);
    this.chance = chance;
  }

  override contexts(cover: ContextCover): ContextCover {
    return super.contexts(this.coarser(cover));
  }

  override translations(cover: TranslationCover): TranslationCover {
    return super.translations(this.coarser(cover));
  }

  /** From the device or pages to their domain, from a domain to all. */
  private coarser<Cover extends ContextCover | TranslationCover>(
    cover: Cover,
  ): Cover | { readonly granularity: 'global' } | { readonly granularity: 'domain'; readonly domain: number } {
    if (!('domain' in cover) || !this.chance.once(4)) {
      return cover;
    }
    return cover.granularity === 'domain' || this.chance.once(3)
      ? { granularity: 'global' }
      : { granularity: 'domain', domain: cover.domain };
  }
}
