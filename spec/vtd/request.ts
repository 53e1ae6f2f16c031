import { entry128, isSet } from '../bits.js';
import type { Evidence } from '../interface/judgement.js';
import type { Reading } from '../interface/model.js';
import { CONTEXT_ENTRY, FAULT, INTERRUPT_RANGE } from '../layout/vtd.js';
import type { Capabilities } from './capabilities.js';
import { condition } from './conditions.js';
import {
  type ContextEntry,
  contextEntry,
  contextEntryAddress,
  describeContextEntry,
  faultProcessingDisabled,
} from './context-entry.js';
import { describeRootEntry, rootEntry, rootEntryAddress } from './root-entry.js';
import { type Access, type ReadEntry, secondStageWalk, type Translation } from './second-stage-walk.js';

/** The value of RTADDR that SRTP latched. Facts 1.5, 2.3. */
export interface RootPointer {
  /** Byte address of the root table. */
  readonly table: bigint;
  /** Translation table mode: 00b legacy, 01b scalable, 10b reserved, 11b abort-DMA. */
  readonly mode: number;
  readonly ioPermissions: boolean;
}

/** An untranslated request without PASID, inside one 4 KiB page. */
export interface PageRequest {
  readonly sourceId: number;
  readonly address: bigint;
  readonly bytes: number;
  readonly access: Access;
  readonly noSnoop?: boolean;
}

/** One admissible way for such a request to end. */
export type Outcome = (
  | Translation
  | { readonly kind: 'interrupt'; readonly clauses: readonly string[]; readonly evidence: readonly Evidence[] }
) & {
  /** FPD was 1 in a structure met on the way. */
  readonly faultProcessingDisabled: boolean;
};

type Page = PageRequest & { readonly caps: Capabilities; readonly read: ReadEntry };

/**
 * The flow of an untranslated request without PASID in legacy mode with TES=1. Facts 5.7.
 *
 * 1. Step 3: an address in FEEx is not translated.
 * 2. Step 4: the latched pointer.
 * 3. Steps 6 to 15: root entry, context entry, second stage.
 */
export function translateRequest(
  request: PageRequest,
  pointer: RootPointer,
  caps: Capabilities,
  read: ReadEntry,
): readonly Outcome[] {
  if (request.address >= INTERRUPT_RANGE.first && request.address <= INTERRUPT_RANGE.last) {
    return [interruptRange(request)];
  }
  const refusal = pointerRefusal(pointer, caps);
  if (refusal !== undefined) return [withoutFpd(refusal)];
  return throughRootEntry({ ...request, caps, read }, pointer.table);
}

/**
 * VTD-IAR-001, VTD-IAR-002: an aligned DWORD write to FEEx is an interrupt request;
 * any other write and any read of data is blocked with 29h. VTD-IAR-003: a zero-length read succeeds. Facts 4.10, 5.7 step 3.
 */
export function interruptRange(request: PageRequest): Outcome {
  if (isZeroLengthRead(request)) {
    const { address } = request;
    const evidence = [{ what: 'request', address, reading: 'zero-length read of FEEx' }];
    return withoutFpd({ kind: 'translated', address, clauses: ['VTD-IAR-003'], labels: ['zero-length'], evidence });
  }
  const isInterrupt = request.access === 'write' && request.bytes === 4 && (request.address & 3n) === 0n;
  if (isInterrupt) return { kind: 'interrupt', clauses: ['VTD-IAR-001'], evidence: [], faultProcessingDisabled: false };
  const cause = request.access === 'read' ? 'read of FEEx' : 'write to FEEx that is no DWORD write';
  const evidence = [
    { what: 'request', address: request.address, reading: `${request.access} of ${request.bytes} bytes in FEEx` },
  ];
  return withoutFpd({
    kind: 'blocked',
    conditions: [condition(FAULT.INTERRUPT_RANGE_REQUEST, 'VTD-IAR-002', cause)],
    evidence,
  });
}

/** VTD-GCMD-018, VTD-GCMD-019, VTD-CTX-014: the latched TTM and SSIRWE. Facts 2.3, 5.3. */
function pointerRefusal(pointer: RootPointer, caps: Capabilities): Translation | undefined {
  const evidence = [
    {
      what: 'latched root pointer',
      address: pointer.table,
      reading: `TTM=${pointer.mode.toString(2).padStart(2, '0')}b`,
    },
  ];
  const refuse = (reason: number, clause: string, cause: string): Translation => ({
    kind: 'blocked',
    conditions: [condition(reason, clause, cause)],
    evidence,
  });
  if (pointer.mode === 3 && caps.abortMode) return refuse(FAULT.ABORT_MODE, 'VTD-GCMD-019', 'RTADDR.TTM=3');
  if (pointer.mode === 1 && caps.scalableMode) {
    return { kind: 'undecided', reason: 'scalable mode is not specified yet', evidence };
  }
  if (pointer.mode !== 0) {
    return refuse(FAULT.ROOT_POINTER_INVALID, 'VTD-GCMD-018', `RTADDR.TTM=${pointer.mode}`);
  }
  if (pointer.ioPermissions) return refuse(FAULT.ROOT_POINTER_INVALID, 'VTD-CTX-014', 'RTADDR.SSIRWE=1');
  return undefined;
}

/** Step 6: 8h unreadable (VTD-ROOT-006), then what the entry says. */
function throughRootEntry(page: Page, rootTable: bigint): readonly Outcome[] {
  const address = rootEntryAddress(rootTable, page.sourceId);
  return page.read('root', address).flatMap((reading): readonly Outcome[] => {
    const evidence = [show('root entry', reading, address, describeRootEntry)];
    if (reading.kind === 'undecided') return [withoutFpd({ kind: 'undecided', reason: reading.reason, evidence })];
    if (reading.kind === 'unreadable') {
      const conditions = [condition(FAULT.ROOT_UNREADABLE, 'VTD-ROOT-006', 'unreadable root entry')];
      return [withoutFpd({ kind: 'blocked', conditions, evidence })];
    }
    const entry = rootEntry(entry128(reading.words), page.caps);
    if (entry.kind === 'fault') return [withoutFpd({ kind: 'blocked', conditions: [entry.condition], evidence })];
    return throughContextEntry(page, entry.contextTable, evidence);
  });
}

/** Step 7: 9h unreadable (VTD-CTX-010), latch FPD, then what the entry says. */
function throughContextEntry(page: Page, table: bigint, before: readonly Evidence[]): readonly Outcome[] {
  const address = contextEntryAddress(table, page.sourceId);
  return page.read('context', address).flatMap((reading): readonly Outcome[] => {
    const evidence = [...before, show('context entry', reading, address, describeContextEntry)];
    if (reading.kind === 'undecided') return [withoutFpd({ kind: 'undecided', reason: reading.reason, evidence })];
    if (reading.kind === 'unreadable') {
      const conditions = [condition(FAULT.CONTEXT_UNREADABLE, 'VTD-CTX-010', 'unreadable context entry')];
      return [withoutFpd({ kind: 'blocked', conditions, evidence })];
    }
    const word = entry128(reading.words);
    const fpd = faultProcessingDisabled(word);
    return throughContext(page, contextEntry(word, page.caps)).map((outcome) => ({
      ...outcome,
      ...(outcome.kind === 'translated' ? { clauses: [...entryClauses(word), ...outcome.clauses] } : {}),
      evidence: [...evidence, ...outcome.evidence],
      faultProcessingDisabled: fpd,
    }));
  });
}

/** Clauses of the two entries that a successful request went through. VTD-CTX-004: bits 70:67 never fault. */
function entryClauses(entry: bigint): readonly string[] {
  const available = isSet(entry, CONTEXT_ENTRY.fields.AVAIL) ? ['VTD-CTX-004'] : [];
  return ['VTD-ROOT-001', 'VTD-CTX-001', ...available];
}

/** Steps 8 to 15: pass-through, or the input width and the second-stage walk. */
function throughContext(page: Page, context: ContextEntry): readonly Translation[] {
  if (context.kind === 'fault') return [{ kind: 'blocked', conditions: context.conditions, evidence: [] }];
  if (context.kind === 'pass-through') return passThrough(page, context);
  const bits = Math.min(page.caps.guestAddressWidth, context.bits);
  if (page.address >> BigInt(bits) !== 0n) {
    // VTD-SS-003: an input above 2^min(MGAW,AGAW)-1.
    const cause = bits < context.bits ? 'input above MGAW' : 'input above AGAW';
    return [
      { kind: 'blocked', conditions: [condition(FAULT.ADDRESS_BEYOND_WIDTH, 'VTD-SS-003', cause)], evidence: [] },
    ];
  }
  const walk = (access: Access): readonly Translation[] =>
    secondStageWalk(page.address, access, context.table, context.levels, page.caps, page.read);
  return isZeroLengthRead(page) ? zeroLengthRead(walk, page.caps) : walk(page.access);
}

/** A read of no bytes; what it returns is not defined (N40). */
function isZeroLengthRead(request: PageRequest): boolean {
  return request.access === 'read' && request.bytes === 0;
}

/**
 * A zero-length read. Facts 4.9.
 *
 * 1. VTD-ZLR-002: with ZLR=0 it needs read permission like any read.
 * 2. VTD-ZLR-001: with ZLR=1 write permission is enough; VTD-ZLR-003: other faults stay.
 */
function zeroLengthRead(walk: (access: Access) => readonly Translation[], caps: Capabilities): readonly Translation[] {
  const asRead = walk('read');
  if (!caps.zeroLengthRead) return asRead.map((each) => underClause(each, FAULT.NO_READ_PERMISSION, 'VTD-ZLR-002'));
  if (asRead.every((each) => each.kind === 'translated')) return asRead;
  const asWrite = walk('write').map(
    (each): Translation =>
      each.kind === 'translated' ? { ...each, clauses: ['VTD-ZLR-001'], labels: ['zero-length'] } : each,
  );
  const lacksBoth = asWrite.some(
    (each) => each.kind === 'blocked' && each.conditions.some(({ reason }) => reason === FAULT.NO_WRITE_PERMISSION),
  );
  // Where memory may read in several ways, each of them may be what the walk met.
  if (asRead.length > 1) return [...asRead, ...asWrite.filter((each) => each.kind === 'translated')];
  return lacksBoth ? asRead : asWrite.map((each) => underClause(each, undefined, 'VTD-ZLR-003'));
}

/** A blocked end whose conditions (with one reason, or all) fall under another clause. */
function underClause(translation: Translation, reason: number | undefined, clause: string): Translation {
  if (translation.kind !== 'blocked') return translation;
  const conditions = translation.conditions.map((each) =>
    reason === undefined || each.reason === reason ? { ...each, clause } : each,
  );
  return { ...translation, conditions };
}

/**
 * VTD-CTX-009: output = input, no page table is read. VTD-PT-002: an input of 2^HAW or above is 4h.
 * VTD-CTX-015 (N16): some contexts may be refused as well.
 */
function passThrough(page: Page, context: ContextEntry & { kind: 'pass-through' }): readonly Translation[] {
  const refused: readonly Translation[] =
    context.mayFault.length === 0 ? [] : [{ kind: 'blocked', conditions: context.mayFault, evidence: [] }];
  if (page.address >> BigInt(page.caps.hostAddressWidth) !== 0n) {
    const beyond = condition(FAULT.ADDRESS_BEYOND_WIDTH, 'VTD-PT-002', 'pass-through input above HAW');
    return [{ kind: 'blocked', conditions: [beyond, ...context.mayFault], evidence: [] }];
  }
  const clause = context.mayFault.length > 0 ? 'VTD-CTX-015' : 'VTD-CTX-009';
  return [
    {
      kind: 'translated',
      address: page.address,
      clauses: [clause],
      labels: ['pass-through'],
      evidence: [],
      forcedSnoop: false,
    },
    ...refused,
  ];
}

function withoutFpd(translation: Translation): Outcome {
  return { ...translation, faultProcessingDisabled: false };
}

function show(what: string, reading: Reading, address: bigint, describe: (entry: bigint) => string): Evidence {
  if (reading.kind !== 'words') return { what, address, reading: reading.kind };
  return { what, address, words: reading.words, reading: describe(entry128(reading.words)) };
}
