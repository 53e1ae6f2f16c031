import {
  CONTEXTS,
  FUNCTIONS,
  frame,
  NEXT,
  OLD,
  OTHER,
  PD,
  PD_8,
  PDPT,
  PDPT_8,
  PML4,
  PML4_8,
  PT,
  PT_8,
  type Requester,
  ROOT,
} from './world.js';
import type { Line } from './writer.js';

/** What software does: tables, registers, invalidation commands. */

export const unit = { component: 'iommu0' } as const;
const TE = 1n << 31n;
const RTP = 1n << 30n;
const QI = 1n << 26n;
const BUSY = 1n << 63n;

/** Several lines as one. */
export const all =
  (...lines: readonly Line[]): Line =>
  (writer) => {
    for (const line of lines) line(writer);
  };

/** A 32-bit or 64-bit register is written. */
export const write =
  (register: string, value: bigint, size: 4 | 8 = 4): Line =>
  (writer) =>
    writer.add({ op: 'regWrite', ...unit, register, size, value });

/** A register is read and gives a value. */
export const shows =
  (register: string, value: bigint, size: 4 | 8 = 4): Line =>
  (writer) =>
    writer.add({ op: 'regRead', ...unit, register, size }, { value });

const polled =
  (register: string, mask: bigint, expect: bigint, value: bigint, size: 4 | 8): Line =>
  (writer) =>
    writer.add({ op: 'poll', ...unit, register, size, mask, expect, limit: 100 }, { value, satisfied: true, reads: 1 });

/** Everything in flight comes to rest. */
export const settle: Line = (writer) => writer.add({ op: 'settle' });

/** 64-bit words are stored at a byte address. */
export const store =
  (address: bigint, ...words: readonly bigint[]): Line =>
  (writer) =>
    writer.add({ op: 'store', address, words });

/** A whole frame is zeroed. */
export const empty =
  (table: number): Line =>
  (writer) =>
    writer.add({ op: 'store', address: frame(table), words: [0n], repeat: 512 });

/** Rights of a paging entry, as its two low bits. */
const RIGHTS = { r: 1n, w: 2n, rw: 3n } as const;

/** A paging entry that points to a frame. */
export const to = (target: number, rights: keyof typeof RIGHTS = 'rw'): bigint => frame(target) | RIGHTS[rights];
/** A 2 MiB leaf whose frame 0 is frame 0 of the arena. */
export const SUPERPAGE = frame(0) | 3n | (1n << 7n);
/** A paging entry that is not there. */
export const NOTHING = 0n;

/** Entry `index` of a paging table is written. */
export const entry = (table: number, index: number, value: bigint): Line =>
  store(frame(table) + BigInt(index) * 8n, value);

interface Attachment {
  readonly did: number;
  readonly table: number;
  readonly fpd?: boolean;
  /** Bits 11:4 of the entry, which are reserved. */
  readonly reserved?: bigint;
  readonly contexts?: number;
}

const contextAddress = (who: Requester, contexts: number): bigint =>
  frame(contexts) + BigInt(FUNCTIONS[who] & 0xff) * 16n;

/** A function's context entry is written: 48 bits, second stage. */
export const attach = (
  who: Requester,
  { did, table, fpd = false, reserved = 0n, contexts = CONTEXTS }: Attachment,
): Line =>
  store(
    contextAddress(who, contexts),
    frame(table) | 1n | (fpd ? 2n : 0n) | (reserved << 4n),
    2n | (BigInt(did) << 8n),
  );

/** A function's context entry is cleared; FPD may stay. */
export const detach = (who: Requester, { fpd = false }: { readonly fpd?: boolean } = {}): Line =>
  store(contextAddress(who, CONTEXTS), fpd ? 2n : 0n, 0n);

/** The root entry of bus 1 is written. */
export const bus = (contexts: number, root = ROOT): Line => store(frame(root) + 16n, frame(contexts) | 1n, 0n);

/** The root table is latched, and that is seen. No invalidation. */
export const latchRoot = (root: number, translating = true): Line =>
  all(
    write('RTADDR', frame(root), 8),
    write('GCMD', RTP | (translating ? TE : 0n)),
    polled('GSTS', RTP, RTP, RTP | (translating ? TE : 0n), 4),
  );

/** Translation is turned on or off, and that is seen. The queue is off. */
export const translation = (on: boolean): Line =>
  all(write('GCMD', on ? TE : 0n), polled('GSTS', TE, on ? TE : 0n, RTP | (on ? TE : 0n), 4));

/** What an invalidation names. */
export type ContextScope = 'global' | { readonly did: number; readonly sid?: number; readonly fm?: number };
export type IotlbScope =
  | 'global'
  | { readonly did: number; readonly page?: number; readonly am?: number; readonly ih?: boolean };

const contextCommand = (scope: ContextScope): { readonly grain: bigint; readonly operands: bigint; did: bigint } => {
  if (scope === 'global') return { grain: 1n, operands: 0n, did: 0n };
  const did = BigInt(scope.did);
  if (scope.sid === undefined) return { grain: 2n, operands: did, did };
  return { grain: 3n, operands: did | (BigInt(scope.sid) << 16n) | (BigInt(scope.fm ?? 0) << 32n), did };
};

/** A context-cache invalidation is asked for by register; nobody looks whether it is complete. */
export const contextAsked = (scope: ContextScope): Line => {
  const { grain, operands } = contextCommand(scope);
  return write('CCMD', BUSY | (grain << 61n) | operands, 8);
};

/** The context command is seen complete. */
export const contextDone = (scope: ContextScope): Line => {
  const { grain, did } = contextCommand(scope);
  return polled('CCMD', BUSY, 0n, (grain << 61n) | (grain << 59n) | did, 8);
};

/** A context-cache invalidation by register, seen complete. */
export const context = (scope: ContextScope): Line => all(contextAsked(scope), contextDone(scope));

const iotlbGrain = (scope: IotlbScope): bigint => (scope === 'global' ? 1n : scope.page === undefined ? 2n : 3n);
const iotlbDomain = (scope: IotlbScope): bigint => (scope === 'global' ? 0n : BigInt(scope.did));
const addressWord = ({ page = 0, am = 0, ih = false }: Exclude<IotlbScope, string>): bigint =>
  (BigInt(page) << 12n) | (ih ? 1n << 6n : 0n) | BigInt(am);

/** An IOTLB invalidation is asked for by register; nobody looks whether it is complete. */
export const iotlbAsked = (scope: IotlbScope): Line => {
  const command = write('IOTLB', BUSY | (iotlbGrain(scope) << 60n) | (iotlbDomain(scope) << 32n), 8);
  return scope === 'global' || scope.page === undefined ? command : all(write('IVA', addressWord(scope), 8), command);
};

/** The IOTLB command is seen complete; `performed` is what IAIG says. */
export const iotlbDone = (scope: IotlbScope, performed: bigint = iotlbGrain(scope)): Line =>
  polled('IOTLB', BUSY, 0n, (iotlbGrain(scope) << 60n) | (performed << 57n) | (iotlbDomain(scope) << 32n), 8);

/** An IOTLB invalidation by register, seen complete. */
export const iotlb = (scope: IotlbScope): Line => all(iotlbAsked(scope), iotlbDone(scope));

/** Both, globally, in this order. */
export const flush: Line = all(context('global'), iotlb('global'));

/**
 * Tables of two domains, the root latched and everything flushed. Function A is in domain 7 (page 0 is OLD, page 1
 * is NEXT); domain 8 (page 0 is OTHER) has nobody.
 */
export const tables: Line = all(
  ...[ROOT, CONTEXTS, PML4, PDPT, PD, PT, PML4_8, PDPT_8, PD_8, PT_8].map(empty),
  bus(CONTEXTS),
  attach('A', { did: 7, table: PML4 }),
  entry(PML4, 0, to(PDPT)),
  entry(PDPT, 0, to(PD)),
  entry(PD, 0, to(PT)),
  store(frame(PT), to(OLD), to(NEXT)),
  entry(PML4_8, 0, to(PDPT_8)),
  entry(PDPT_8, 0, to(PD_8)),
  entry(PD_8, 0, to(PT_8)),
  entry(PT_8, 0, to(OTHER)),
  latchRoot(ROOT),
  flush,
);

/** GCMD and GSTS with the queue on or off; translation stays on. */
export const queueSwitched = (on: boolean): Line =>
  all(write('GCMD', TE | (on ? QI : 0n)), shows('GSTS', TE | RTP | (on ? QI : 0n)));

/** The unit with translation off and the queue on. */
export const queueWithoutTranslation: Line = all(write('GCMD', QI), shows('GSTS', RTP | QI));
