import { gather } from '../gather.js';
import type { Evidence } from '../interface/judgement.js';
import type { DeviceRequest, Piece, RequestSuccessor } from '../interface/model.js';
import { INTERRUPT_RANGE } from '../layout/vtd.js';
import type { FaultCondition } from './conditions.js';
import { eventMessage } from './events.js';
import { completeGlobalCommand, writtenOnly } from './global-command.js';
import type { CachingNotes, Outcome, PageRequest } from './outcome.js';
import { exemptions, protectedAt } from './protected-memory.js';
import { logFault, loggingClauses } from './recording.js';
import { interruptRange, type RequestContext, translateRequest } from './request.js';
import { mustBeSnooped } from './snoop.js';
import { mapFaults, recordOf, stateWith, type VtdState } from './state.js';

/** One way on for a part of a request. */
export type Way = RequestSuccessor<VtdState>;

/** The pages of a request: its parts, cut at 4 KiB boundaries. */
export function pagesOf(request: DeviceRequest): readonly (PageRequest & { readonly offset: number })[] {
  const { sourceId, access, noSnoop } = request;
  if (request.bytes === 0) return [{ sourceId, access, noSnoop, address: request.address, bytes: 0, offset: 0 }];
  const pages: (PageRequest & { readonly offset: number })[] = [];
  for (let offset = 0; offset < request.bytes; ) {
    const address = request.address + BigInt(offset);
    const room = 4096 - Number(address & 0xfffn);
    const bytes = Math.min(room, request.bytes - offset);
    pages.push({ sourceId, access, noSnoop, address, bytes, offset });
    offset += bytes;
  }
  return pages;
}

/**
 * VTD-CROSS-001 (N25, N26): a request that crosses a 4 KiB boundary is refused as
 * a whole, or each page is a request of its own. A request inside a page is just that.
 */
export function requestWays(state: VtdState, request: DeviceRequest, context: RequestContext): readonly Way[] {
  const pages = pagesOf(request);
  const start: Way = { next: state, pieces: [], clauses: [], evidence: [], labels: [request.access] };
  const split = pages.reduce<readonly Way[]>(
    (ways, page) => gather(ways, (way) => pageWays(way.next, page, context).map((next) => join(way, next))),
    [start],
  );
  if (pages.length === 1) return split;
  const whole: Way = {
    ...start,
    pieces: [{ offset: 0, bytes: request.bytes, effect: { kind: 'blocked' } }],
    evidence: [{ what: 'request', address: request.address, reading: 'crosses a 4 KiB boundary' }],
  };
  return [...split, whole].map((way) => ({
    ...way,
    clauses: [...way.clauses, 'VTD-CROSS-001'],
    labels: [...way.labels, 'crossing'],
  }));
}

/** One way after another. */
export function join(first: Way, second: Way): Way {
  const undecided = first.undecided ?? second.undecided;
  const deviation = first.deviation ?? second.deviation;
  const joined = {
    next: second.next,
    pieces: [...first.pieces, ...second.pieces],
    clauses: [...first.clauses, ...second.clauses],
    evidence: [...first.evidence, ...second.evidence],
    labels: [...first.labels, ...second.labels],
  };
  if (undecided === undefined && deviation === undefined) return joined;
  return {
    ...joined,
    ...(undecided === undefined ? {} : { undecided }),
    ...(deviation === undefined ? {} : { deviation }),
  };
}

type Page = PageRequest & { readonly offset: number };

/** Every way on for one page. VTD-GCMD-017: a pending TE has taken effect for all of it or not at all (N27). */
export function pageWays(state: VtdState, page: Page, context: RequestContext): readonly Way[] {
  if (state.unknown !== undefined) return [undecided(state, page, state.unknown.kind, state.unknown.reason)];
  const states =
    state.pending.translation === undefined ? [state] : [state, completeGlobalCommand(state, context.view.now)];
  const ways = gather(states, (each) =>
    gather(mergeBlocked(pageOutcomes(each, page, context)), (outcome) => wayOf(each, page, outcome)),
  );
  if (states.length === 1) return ways;
  return ways.map((each) => ({ ...each, clauses: [...each.clauses, 'VTD-GCMD-017'] }));
}

/** What the translation rules admit for a page. */
export function pageOutcomes(state: VtdState, page: Page, context: RequestContext): readonly Outcome[] {
  if (!state.translation) return [untranslated(page)];
  if (state.root === undefined && state.pending.setRoot === undefined) {
    return [{ kind: 'undecided', reason: 'TE without SRTP', evidence: [], faultProcessingDisabled: false }];
  }
  const outcomes = translateRequest(page, state, context);
  if (!writtenOnly(state)) return outcomes;
  return outcomes.map((outcome) =>
    outcome.kind === 'translated' ? { ...outcome, clauses: ['VTD-GCMD-003', ...outcome.clauses] } : outcome,
  );
}

/** Several ways to be blocked are one way with several conditions. */
function mergeBlocked(outcomes: readonly Outcome[]): readonly Outcome[] {
  const merged: Outcome[] = [];
  for (const outcome of outcomes) {
    const same = merged.findIndex(
      (other) =>
        other.kind === 'blocked' &&
        outcome.kind === 'blocked' &&
        other.faultProcessingDisabled === outcome.faultProcessingDisabled,
    );
    const other = merged[same];
    if (other?.kind === 'blocked' && outcome.kind === 'blocked') {
      merged[same] = { ...other, conditions: [...other.conditions, ...outcome.conditions] };
    } else {
      merged.push(outcome);
    }
  }
  return merged;
}

/** VTD-GCMD-015: with TES=0 output = input; a DWORD write to FEEx is an interrupt all the same. */
function untranslated(page: Page): Outcome {
  if (page.address >= INTERRUPT_RANGE.first && page.address <= INTERRUPT_RANGE.last) {
    const outcome = interruptRange(page);
    if (outcome.kind !== 'blocked') return outcome;
    const reason = 'access to FEEx with TES=0 that is no interrupt';
    return { kind: 'undecided', reason, evidence: [], faultProcessingDisabled: false };
  }
  return {
    kind: 'translated',
    address: page.address,
    clauses: ['VTD-GCMD-015'],
    labels: [],
    evidence: [{ what: 'GSTS', reading: 'TES=0' }],
    stale: [],
    faultProcessingDisabled: false,
  };
}

function undecided(state: VtdState, page: Page, kind: 'undefined' | 'inconclusive', reason: string): Way {
  return {
    next: stateWith(state, { unknown: { kind, reason } }),
    pieces: [pieceOf(page, { kind: 'blocked' })],
    clauses: [],
    evidence: [],
    labels: [],
    undecided: { kind, reason },
  };
}

function pieceOf(page: Page, effect: Piece['effect']): Piece {
  return { offset: page.offset, bytes: page.bytes, effect };
}

/** The ways that an outcome leads to: for a blocked page, how its fault is logged. */
function wayOf(state: VtdState, page: Page, outcome: Outcome): readonly Way[] {
  switch (outcome.kind) {
    case 'undecided':
      return [undecided(state, page, 'inconclusive', outcome.reason)];
    case 'interrupt':
      return interruptWays(state, page, outcome.clauses, outcome.evidence);
    case 'translated':
      return translatedWays(state, page, outcome);
    case 'blocked': {
      const { conditions, faultProcessingDisabled: fpd, evidence, caching } = outcome;
      return blockedWays(state, page, conditions, fpd, evidence).map((way) => withNotes(way, caching));
    }
  }
}

function translatedWays(state: VtdState, page: Page, outcome: Outcome & { kind: 'translated' }): readonly Way[] {
  const { address, clauses, evidence, labels, caching } = outcome;
  const snooped = mustBeSnooped(page, outcome);
  const effect: Piece['effect'] = snooped ? { kind: 'memory', address, snooped } : { kind: 'memory', address };
  const way = {
    next: state,
    pieces: [pieceOf(page, effect)],
    clauses: [...clauses, ...exemptions(state, outcome)],
    evidence,
    labels: [...labels, ...(snooped === 'VTD-SNP-001' ? ['snoop:forced'] : [])],
  };
  return throughProtection(state, page, address, withNotes(way, caching));
}

function interruptWays(
  state: VtdState,
  page: Page,
  clauses: readonly string[],
  evidence: readonly Evidence[],
): readonly Way[] {
  if (state.interrupts || state.pending.interrupts !== undefined) {
    return [undecided(state, page, 'inconclusive', 'interrupt remapping is not specified yet')];
  }
  return [{ next: state, pieces: [pieceOf(page, { kind: 'interrupt' })], clauses, evidence, labels: ['interrupt'] }];
}

function withNotes(way: Way, caching: CachingNotes | undefined): Way {
  if (caching === undefined || way.undecided !== undefined) return way;
  return { ...way, clauses: [...way.clauses, ...caching.clauses], labels: [...way.labels, ...caching.labels] };
}

/** VTD-PMR-001: a request whose host address is protected is blocked without a record. */
function throughProtection(state: VtdState, page: Page, address: bigint, way: Way): readonly Way[] {
  const found = protectedAt(state, address, page.bytes);
  if (found === 'no') return [way];
  const guard = page.access === 'write' ? 'VTD-FLT-001' : 'VTD-FLT-002';
  const blocked: Way = {
    ...way,
    pieces: [pieceOf(page, { kind: 'blocked' })],
    clauses: ['VTD-PMR-001', guard],
    labels: ['protected'],
  };
  return found === 'yes' ? [blocked] : [way, blocked];
}

/** VTD-FLT-001 to VTD-FLT-005: blocked, and recorded unless the fault is qualified and an FPD was met. Facts 3.9, 5.1. */
function blockedWays(
  state: VtdState,
  page: Page,
  conditions: readonly FaultCondition[],
  fpd: boolean,
  evidence: readonly Evidence[],
): readonly Way[] {
  const silent = fpd ? conditions.filter((condition) => condition.qualified) : [];
  const reported = conditions.filter((condition) => !silent.includes(condition));
  const pieces = [pieceOf(page, { kind: 'blocked' })];
  const guard = page.access === 'write' ? 'VTD-FLT-001' : 'VTD-FLT-002';
  const quiet: readonly Way[] =
    silent.length === 0
      ? []
      : [{ next: state, pieces, clauses: [guard, 'VTD-FLT-004', 'VTD-CTX-011'], evidence, labels: ['silenced'] }];
  const loud =
    reported.length === 0
      ? []
      : recordedWays(state, page, reported, evidence).map((way) => ({
          ...way,
          clauses: [...way.clauses, guard, 'VTD-FLT-003', ...unqualifiedClauses(reported)],
        }));
  return [...quiet, ...loud];
}

/** VTD-FLT-005, VTD-ROOT-007: an unqualified fault is recorded whatever FPD bits there are. */
function unqualifiedClauses(conditions: readonly FaultCondition[]): readonly string[] {
  if (conditions.some((condition) => condition.qualified)) return [];
  return conditions[0]?.name.startsWith('LRT') ? ['VTD-FLT-005', 'VTD-ROOT-007'] : ['VTD-FLT-005'];
}

/** Most states of fault recording followed; beyond it the unit is inconclusive. */
const MOST_FAULT_STATES = 512;

/** The page is blocked and its fault is logged with any one of the conditions. */
export function recordedWays(
  state: VtdState,
  page: Page,
  conditions: readonly FaultCondition[],
  evidence: readonly Evidence[],
): readonly Way[] {
  const record = recordOf({
    sourceId: page.sourceId,
    address: conditions.every((condition) => condition.addressRecorded) ? page.address & ~0xfffn : undefined,
    reasons: [...new Set(conditions.map((condition) => condition.reason))],
    access: page.access,
    clauses: Object.fromEntries(conditions.map((condition) => [condition.reason, condition.clause])),
  });
  const message = eventMessage(state, 'FE');
  const next = mapFaults(state, (faults) => logFault(faults, record, message));
  const pieces = [pieceOf(page, { kind: 'blocked' })];
  if (next.faults.length > MOST_FAULT_STATES) {
    const reason = `more than ${MOST_FAULT_STATES} states of fault recording`;
    return [undecided(state, page, 'inconclusive', reason)];
  }
  return [{ next, pieces, clauses: loggingClauses(state.faults, record), evidence, labels: [] }];
}
