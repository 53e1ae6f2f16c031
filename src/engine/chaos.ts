import { ACCESS, type Access } from './access.js';
import { Chance } from './chance.js';
import { ChaosPace } from './chaos-pace.js';
import { ChaosFaults, ChaosInvalidation, ChaosIotlb, ChaosRegisters } from './chaos-parts.js';
import { ENTRY, PAGE_LEVELS } from './iotlb.js';
import { RecentRequests } from './recent-requests.js';
import { FIRST_STRUCTURE_LEVEL, LAST_STRUCTURE_LEVEL } from './structure-cache.js';
import { RemappingUnit, type UnitOptions } from './unit.js';

/** Where the random numbers start when no seed is given. */
const DEFAULT_SEED = 0x10dd;

/**
 * A remapping unit that does at random what the architecture allows: it drops cached entries at any time, fetches
 * translations that nobody asked for, keeps superpages in pieces, invalidates more than asked, completes commands
 * late and drops repeated faults of one source-id. Everything follows from the seed and from what is done with the
 * unit since its last cold reset.
 */
export class ChaosUnit extends RemappingUnit {
  private readonly chance: Chance;
  private readonly chaosPace: ChaosPace;
  private readonly recent: RecentRequests;

  constructor(options: UnitOptions) {
    const chance = new Chance(options.seed ?? DEFAULT_SEED);
    const pace = new ChaosPace(chance);
    const recent = new RecentRequests();
    super(options, {
      pace,
      reset: (scope) => {
        pace.abandon();
        if (scope === 'cold') {
          chance.restart();
          recent.clear();
        }
      },
      registers: (capabilities) => new ChaosRegisters(capabilities, chance, () => pace.elapse()),
      faults: (registers, capabilities, sendMessage) => new ChaosFaults(registers, capabilities, sendMessage, chance),
      iotlb: (size, zeroLengthReads, found) => new ChaosIotlb(size, zeroLengthReads, found, chance),
      invalidation: (caches, capabilities) => new ChaosInvalidation(caches, capabilities, chance),
    });
    this.chance = chance;
    this.chaosPace = pace;
    this.recent = recent;
  }

  override elapse(): void {
    this.chaosPace.elapse();
    if (this.chance.once(4)) {
      this.evict();
    }
    if (this.translating !== 0 && this.recent.count > 0 && this.chance.once(3)) {
      this.prefetch();
    }
  }

  override translate(routingId: number, high: number, low: number, access: Access): number {
    this.chance.stir(routingId ^ low);
    this.elapse();
    this.recent.add(routingId, high, low);
    return super.translate(routingId, high, low, access);
  }

  /** A translation that holds all permissions may refuse at once; otherwise, and with luck, the tables are asked. */
  protected override refusesHit(flags: number): boolean {
    return (flags & ENTRY.partial) === 0 && this.chance.once(2);
  }

  /** Drops a few entries somewhere. */
  private evict(): void {
    const { caches, chance } = this;
    const { roots, contexts, structures, iotlb } = caches;
    for (let left = chance.below(4); left >= 0; left--) {
      switch (chance.below(4)) {
        case 0:
          roots.evict(chance.below(Math.max(roots.size, 1)));
          break;
        case 1:
          contexts.evict(chance.below(Math.max(contexts.size, 1)));
          break;
        case 2: {
          const level = FIRST_STRUCTURE_LEVEL + chance.below(LAST_STRUCTURE_LEVEL - FIRST_STRUCTURE_LEVEL + 1);
          structures.evict(level, chance.below(Math.max(structures.size, 1)));
          break;
        }
        default:
          iotlb.evict(1 + chance.below(PAGE_LEVELS), chance.below(Math.max(iotlb.size, 1)));
      }
    }
  }

  /** Fills caches for some requester and an address near some recent one, or only for the requester. */
  private prefetch(): void {
    const { chance, recent } = this;
    const routingId = recent.sourceIds[chance.below(recent.count)]! ^ (chance.once(4) ? chance.below(8) : 0);
    if (chance.once(4)) {
      this.findContext(routingId);
      return;
    }
    const place = chance.below(recent.count);
    const near = chance.once(2) ? 0 : chance.below(8) << (12 + 9 * chance.below(3));
    const access = chance.once(2) ? ACCESS.read : ACCESS.write;
    this.resolve(routingId, recent.highs[place]!, recent.lows[place]! ^ near, access);
  }
}
