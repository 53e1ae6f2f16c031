/** What fast-check draws: a small world and what happens in it, as plain numbers that a plan gives a meaning to. */

import type { Aim } from './breaks.js';
import type { Corruption } from './corrupt.js';

/** A DMA request: where it goes and how it lies in its page. */
export interface RequestIntent {
  /** Which mapping, slot or frame. */
  readonly pick: number;
  /** A mapping of its domain, any slot, above the width, a mapping of another domain, anywhere. */
  readonly to: 'mapped' | 'slot' | 'beyond' | 'foreign' | 'wild';
  /** Inside the page, at its start, at its end, across its end. */
  readonly place: 'inside' | 'start' | 'end' | 'cross';
  /** 0 to 79: most give multiples of 4 bytes, the last 16 odd lengths at odd addresses. {@link NO_BYTES}: a zero-length read. */
  readonly length: number;
  readonly offset: number;
  readonly write: boolean;
  readonly noSnoop?: boolean;
}

/** Drawn length that stands for a read of no bytes. */
export const NO_BYTES = 80;

/** A page to map: where, how large, with which rights. */
export interface PageIntent {
  readonly slot: number;
  readonly size: number;
  /** Number of neighbouring pages. */
  readonly count: number;
  /** 0 to 7: read-write unless 5 (write only), 6 (read only), 7 (none). */
  readonly rights: number;
}

/** An input address: table positions at every level, or the last page below the width. */
export interface SlotIntent {
  /** 0: the last page below the limit. 1: all positions but one are those of the first slot. */
  readonly edge: number;
  /** Number of upper levels shared with the first slot; for edge 1, 0 to 5: which level is not. */
  readonly share: number;
  /** Table positions from level 1 up; above 511, one of a few corner values. */
  readonly indices: readonly number[];
}

export interface DomainIntent {
  readonly width: number;
  readonly id: number;
  readonly pages: readonly PageIntent[];
}

export interface AttachIntent {
  /** Domain, or pass-through for 15. */
  readonly to: number;
  /** FPD is set for 0. */
  readonly quiet: number;
}

/** An invalidation that need not cover anything: which cache, how wide, and whom it names. */
export interface InvalidationIntent {
  readonly cache: 'context' | 'iotlb' | 'interrupt';
  /** 1 global, 2 domain, 3 device or page. */
  readonly granularity: number;
  /** A domain of the case, or an id that may exceed the width for 12 and above. */
  readonly domain: number;
  readonly who: number;
  readonly functionMask: number;
  readonly pick: number;
  /** Log2 of the number of pages, cut to what the unit takes. */
  readonly mask: number;
  readonly flags: number;
}

/** One thing that happens. */
export type Step =
  | { readonly act: 'dma'; readonly who: number; readonly request: RequestIntent }
  | { readonly act: 'map'; readonly who: number; readonly page: PageIntent }
  | { readonly act: 'unmap'; readonly who: number; readonly pick: number; readonly rest: number }
  | {
      readonly act: 'rights';
      readonly who: number;
      readonly pick: number;
      readonly level: number;
      readonly rights: number;
    }
  | { readonly act: 'remap'; readonly who: number; readonly pick: number }
  | { readonly act: 'attach'; readonly who: number; readonly attach: AttachIntent }
  | { readonly act: 'detach'; readonly who: number; readonly bus: boolean }
  | { readonly act: 'quiet'; readonly who: number; readonly on: boolean }
  | {
      readonly act: 'break';
      readonly who: number;
      readonly aim: Aim;
      readonly detail: number;
      readonly keep: boolean;
      readonly request: RequestIntent;
    }
  | {
      readonly act: 'corrupt';
      readonly who: number;
      readonly entry: number;
      readonly corruption: Corruption;
      readonly keep: boolean;
      readonly request: RequestIntent;
    }
  | { readonly act: 'repair' }
  | { readonly act: 'split'; readonly who: number; readonly pick: number }
  | { readonly act: 'reinterpret'; readonly who: number; readonly pick: number; readonly request: RequestIntent }
  | { readonly act: 'interrupt'; readonly who: number; readonly page: number }
  | { readonly act: 'reroot'; readonly who: number; readonly empty: boolean; readonly request: RequestIntent }
  | { readonly act: 'collect'; readonly overflow: boolean }
  /** SNP of a leaf. */
  | { readonly act: 'snoop'; readonly who: number; readonly pick: number; readonly on: boolean }
  | { readonly act: 'flush' }
  | { readonly act: 'invalidate'; readonly what: InvalidationIntent }
  | { readonly act: 'load'; readonly frame: number };

export type Act = Step['act'];

/** Everything that is drawn for a case. */
export interface CaseIntents {
  /** Which acts the case uses, a bit each in the order of {@link SWARM}. */
  readonly features: number;
  /** 0 to 999: below the share of cases that start from reset. */
  readonly start: number;
  /** 0 to 19: how often faults are collected. */
  readonly collect: number;
  /** 0 to 15: whether flushes go through the invalidation queue, and how they are seen complete. */
  readonly queue: number;
  readonly slots: readonly SlotIntent[];
  readonly domains: readonly DomainIntent[];
  readonly attach: readonly AttachIntent[];
  readonly steps: readonly Step[];
}

/** Acts that a case may leave out. */
export const SWARM: readonly Act[] = [
  'map',
  'unmap',
  'rights',
  'remap',
  'attach',
  'detach',
  'quiet',
  'repair',
  'split',
  'reinterpret',
  'interrupt',
  'reroot',
  'flush',
  'load',
  'invalidate',
];

/** What a property wants drawn. */
export interface Recipe {
  /** How often each act is drawn; acts without a weight are not. */
  readonly weights: Readonly<Partial<Record<Act, number>>>;
  /** How often each aim of a break is drawn (default 1). */
  readonly aims?: Readonly<Partial<Record<Aim, number>>>;
  /** How often a request goes where (default: mostly to its own mappings). */
  readonly targets?: Readonly<Partial<Record<RequestIntent['to'], number>>>;
  /** Of how many attachments one has FPD set (default 16). */
  readonly quietOneIn?: number;
  /** Of how many mapped pages one may be a superpage (default 1). */
  readonly largePagesOneIn?: number;
  /** Of how many requests one is a zero-length read (default none). */
  readonly zeroLengthOneIn?: number;
  /** Half of the requests have the no-snoop attribute. */
  readonly noSnoop?: boolean;
  readonly steps?: { readonly least: number; readonly most: number };
}
