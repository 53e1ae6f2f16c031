import type { Caches } from './caches.js';
import type { Capabilities } from './capabilities.js';
import { PAGE_LEVELS } from './iotlb.js';
import { ALL_PAGES, highHalfFrom, type PageRange, pagesAround } from './page-range.js';
import { FIRST_STRUCTURE_LEVEL, LAST_STRUCTURE_LEVEL } from './structure-cache.js';

/** What a context-cache invalidation covers. */
export type ContextCover =
  /** All; `pointer` is the flush that comes with a new root table where ESRTPS=1, and with a reset. */
  | { readonly granularity: 'pointer' | 'global' }
  | { readonly granularity: 'domain'; readonly domain: number }
  /** Contexts of that domain whose source-id equals `sourceId` in the bits of `compared`. */
  | {
      readonly granularity: 'device';
      readonly domain: number;
      readonly sourceId: number;
      readonly compared: number;
    };

/** What an IOTLB invalidation covers. */
export type TranslationCover =
  | { readonly granularity: 'pointer' | 'global' }
  | { readonly granularity: 'domain'; readonly domain: number }
  /** Pages of a range; with the hint (IH) entries that point to tables may stay. */
  | {
      readonly granularity: 'page';
      readonly domain: number;
      readonly range: PageRange;
      readonly hint: boolean;
    };

/** By FM, the bits of a source-id that are compared. */
const COMPARED = [0xffff, 0xfffb, 0xfff9, 0xfff8] as const;

/**
 * Removes from the caches what invalidations cover. Each kind of entry has one method that drops it, whatever the
 * granularity is.
 */
export class CacheInvalidation {
  protected readonly caches: Caches;
  private readonly domainMask: number;
  /** Bits of an address's high half that the unit implements. */
  private readonly guestHigh: number;

  constructor(caches: Caches, capabilities: Capabilities) {
    this.caches = caches;
    this.domainMask = 2 ** capabilities.domainIdBits - 1;
    this.guestHigh = ~highHalfFrom(capabilities.guestAddressWidth);
  }

  /** Removes everything, without a command: the root table is a new one, or the unit was reset. */
  flush(): void {
    this.dropContextKinds({ granularity: 'pointer' });
    this.dropTranslationKinds({ granularity: 'pointer' });
  }

  /** Invalidates root and context entries; returns the cover performed, which is not less than asked. */
  contexts(cover: ContextCover): ContextCover {
    this.dropContextKinds(cover);
    return cover;
  }

  /** Invalidates translations and what points to tables; returns the cover performed, which is not less than asked. */
  translations(cover: TranslationCover): TranslationCover {
    this.dropTranslationKinds(cover);
    return cover;
  }

  /** The contexts of one domain. Bits of a domain-id above the implemented width do not count. */
  domainContexts(domain: number): ContextCover {
    return { granularity: 'domain', domain: domain & this.domainMask };
  }

  /** The contexts of one domain for a source-id, with FM. */
  deviceContexts(domain: number, sourceId: number, functionMask: number): ContextCover {
    return {
      granularity: 'device',
      domain: domain & this.domainMask,
      sourceId,
      compared: COMPARED[functionMask & 3]!,
    };
  }

  /** All translations of one domain. */
  domainTranslations(domain: number): TranslationCover {
    return { granularity: 'domain', domain: domain & this.domainMask };
  }

  /**
   * The translations of one domain for an aligned block of pages.
   *
   * @param high high half of an address of the block; bits at or above MGAW + 1 do not count
   * @param addressMask logarithm of the number of 4 KiB pages (AM)
   * @param hint whether no entry that points to a table was changed (IH)
   */
  pageTranslations(domain: number, high: number, low: number, addressMask: number, hint: boolean): TranslationCover {
    const range = pagesAround(high & this.guestHigh, low, addressMask);
    return { granularity: 'page', domain: domain & this.domainMask, range, hint };
  }

  /** Drops root entries: only a cover of everything reaches them. */
  dropRoots(cover: ContextCover): void {
    if (cover.granularity === 'pointer' || cover.granularity === 'global') {
      this.caches.roots.clear();
    }
  }

  /** Drops context entries. */
  dropContexts(cover: ContextCover): void {
    const { contexts } = this.caches;
    switch (cover.granularity) {
      case 'domain':
        contexts.drop(cover.domain, 0, 0);
        break;
      case 'device':
        contexts.drop(cover.domain, cover.sourceId, cover.compared);
        break;
      default:
        contexts.clear();
    }
  }

  /** Drops entries of a level that point to tables; level 2 is that of PDEs. */
  dropStructures(level: number, cover: TranslationCover): void {
    const { structures } = this.caches;
    switch (cover.granularity) {
      case 'domain':
        structures.drop(level, cover.domain, ALL_PAGES);
        break;
      case 'page':
        if (!cover.hint) {
          structures.drop(level, cover.domain, cover.range);
        }
        break;
      default:
        structures.clear(level);
    }
  }

  /** Drops translations of a page size; level 1 is 4 KiB, 3 is 1 GiB. */
  dropLeaves(level: number, cover: TranslationCover): void {
    const { iotlb } = this.caches;
    switch (cover.granularity) {
      case 'domain':
        iotlb.drop(level, cover.domain, ALL_PAGES);
        break;
      case 'page':
        iotlb.drop(level, cover.domain, cover.range);
        break;
      default:
        iotlb.clear(level);
    }
  }

  private dropContextKinds(cover: ContextCover): void {
    this.dropRoots(cover);
    this.dropContexts(cover);
  }

  private dropTranslationKinds(cover: TranslationCover): void {
    for (let level = FIRST_STRUCTURE_LEVEL; level <= LAST_STRUCTURE_LEVEL; level++) {
      this.dropStructures(level, cover);
    }
    for (let level = 1; level <= PAGE_LEVELS; level++) {
      this.dropLeaves(level, cover);
    }
  }
}
