import { hex } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { MemoryView, RegisterAccess, Successor } from '../interface/model.js';
import { differingFields, RESERVED } from './content.js';
import { acceptBadDescriptor, standsAtError } from './lenient-queue.js';
import { queuePlace } from './queue.js';
import { registerContents } from './registers.js';
import type { RequestContext } from './request.js';
import type { VtdState } from './state.js';

/** Departures of registers: what a unit that breaks a rule may show instead. Used only when nothing admitted fits. */

type Difference = ReturnType<typeof differingFields>[number];

/** The clause that a field of a register falls under. */
const FIELD_CLAUSES: Readonly<Record<string, string>> = {
  VER: 'VTD-REG-001',
  CAP: 'VTD-REG-001',
  ECAP: 'VTD-REG-001',
  'GSTS.TES': 'VTD-GCMD-001',
  'GSTS.SRTPS': 'VTD-GCMD-002',
  RTADDR: 'VTD-REG-005',
  CCMD: 'VTD-INV-012',
  'CCMD.CIRG': 'VTD-REG-R03',
  'CCMD.DID': 'VTD-REG-R03',
  [`CCMD.${RESERVED}`]: 'VTD-REG-015',
  IOTLB: 'VTD-INV-013',
  'FSTS.PFO': 'VTD-FREC-008',
  'FSTS.PPF': 'VTD-FREC-005',
  'FSTS.FRI': 'VTD-FREC-006',
  'FSTS.IQE': 'VTD-QI-R03',
  'FECTL.IP': 'VTD-FREC-016',
  FECTL: 'VTD-REG-003',
  'IECTL.IM': 'VTD-REG-003',
  'IECTL.IP': 'VTD-WAIT-004',
  'FRCD.F': 'VTD-REG-011',
  'FRCD.PV': 'VTD-FREC-R01',
  'FRCD.EXE': 'VTD-FREC-R01',
  'FRCD.PRIV': 'VTD-FREC-R01',
  FRCD: 'VTD-FREC-002',
};

/** A register reads as it must not: named by the fields in which it differs from the nearest lawful content. The unit goes on as if it had read right. */
export function deviantReading(
  state: VtdState,
  access: RegisterAccess,
  observed: bigint,
  context: RequestContext,
): readonly Successor<VtdState>[] {
  if (state.unknown !== undefined) return [];
  const contents = registerContents(state, access, context.view) ?? [];
  const [nearest] = contents
    .map((content) => ({ content, fields: differingFields(content, access, observed) }))
    .sort((a, b) => a.fields.length - b.fields.length);
  if (nearest === undefined) return [];
  const { content, fields } = nearest;
  const queued =
    acceptedDescriptor(content.state, access, fields, context.view) ??
    stoppedQueue(content.state, access, fields, context.view);
  if (queued !== undefined) return [queued];
  const identities = fields.map((each): FindingIdentity => {
    const register = access.register === 'reserved' ? `offset ${hex(access.offset)}` : access.register;
    const name = `${register}.${each.name}`;
    const [first] = content.clauses;
    const whole = WHOLLY_RESERVED.find((clause) => clause === first);
    const own = each.name === RESERVED ? 'VTD-REG-015' : first;
    const low = access.register === 'FRCD' && each.name === RESERVED && (each.observed & 0xfffn) !== 0n;
    const field = low ? 'VTD-FREC-004' : (FIELD_CLAUSES[name] ?? FIELD_CLAUSES[access.register]);
    const clause = whole ?? field ?? own ?? 'VTD-REG-015';
    return { clause, kind: 'value-differs', discriminator: `${name}: ${difference(access.register, each)}` };
  });
  const list = (value: (each: (typeof fields)[number]) => bigint): string =>
    fields.map((each) => `${each.name}=${hex(value(each))}`).join(', ');
  const expected = list((each) => each.expected);
  const seen = list((each) => each.observed);
  return [
    {
      next: wronglyStopped(fields) ? { ...content.state, unknown: STOPPED } : content.state,
      clauses: fields.some((each) => each.name === 'FR') ? [] : content.clauses,
      evidence: [{ what: access.register, reading: `expected ${expected}; observed ${seen}` }],
      labels: content.labels,
      deviation: { identities, expected, observed: seen },
    },
  ];
}

/** Rules by which all of a register reads 0. */
const WHOLLY_RESERVED: readonly string[] = ['VTD-REG-012', 'VTD-REG-R01'];

/** Registers whose fields hold what software chose, so that the values themselves tell nothing. */
const CHOSEN = /^(IQ[HTA]|I?RTA|[FI]E(DATA|U?ADDR)|P[LH]M)/;

/** Expected and observed value, as far as they name the departure. */
function difference(register: string, { expected, observed }: Difference): string {
  if (!CHOSEN.test(register)) return `${hex(expected)}→${hex(observed)}`;
  const name = (value: bigint, other: string): string => (value === 0n ? '0x0' : other);
  return `${name(expected, 'value')}→${name(observed, 'another')}`;
}

const STOPPED = { kind: 'inconclusive', reason: 'the queue stopped at a lawful descriptor' } as const;

/** IQE although nothing is wrong: where the queue stands is not known. */
function wronglyStopped(fields: readonly Difference[]): boolean {
  return fields.some((each) => each.name === 'IQE' && each.observed === 1n);
}

/** IQE is missing, or the head is beyond a bad descriptor: the unit took it for a good one. Named by the field that is wrong. */
function acceptedDescriptor(
  state: VtdState,
  access: RegisterAccess,
  fields: readonly Difference[],
  view: MemoryView,
): Successor<VtdState> | undefined {
  const shown = fields.some((each) => each.name === 'QH' || (each.name === 'IQE' && each.observed === 0n));
  if (!shown) return undefined;
  const error = standsAtError(state, view);
  const head = fields.find((each) => each.name === 'QH');
  if (error === undefined || (head !== undefined && head.observed * 16n === BigInt(state.queue?.resumedAt ?? -1))) {
    return undefined;
  }
  if (head !== undefined && silentWaitAt(state, Number(head.observed) * 16, view)) return undefined;
  const identities = error.causes.map((cause) => ({
    clause: error.clause,
    kind: 'descriptor-accepted',
    discriminator: `${cause}: IQE→accepted`,
  }));
  const expected = `IQE=1, head on the descriptor (${error.causes.join(', ')})`;
  const observed = `${access.register} shows that the queue went on`;
  return {
    next: acceptBadDescriptor(state, view),
    clauses: [],
    evidence: [{ what: access.register, reading: `expected ${expected}; ${observed}` }],
    labels: [],
    deviation: { identities, expected, observed },
  };
}

/**
 * The queue stands still although nothing is wrong. VTD-WAIT-007 broken: at a wait with neither SW nor IF;
 * VTD-QI-008 broken: where it stood when IQE was cleared. Nothing more is said of the unit then.
 */
function stoppedQueue(
  state: VtdState,
  access: RegisterAccess,
  fields: readonly Difference[],
  view: MemoryView,
): Successor<VtdState> | undefined {
  const { queue } = state;
  if (queue === undefined) return undefined;
  const head = fields.find((each) => each.name === 'QH');
  const stopped = head === undefined ? undefined : Number(head.observed) * 16;
  const refused = fields.some((each) => each.name === 'IQE' && each.observed === 1n);
  const identity =
    stopped !== undefined && stopped === queue.resumedAt
      ? NOT_RESUMED
      : (stopped !== undefined && silentWaitAt(state, stopped, view)) || refused
        ? silentWaitRefused(state, view)
        : undefined;
  if (identity === undefined) return undefined;
  const observed = `${access.register} shows that the queue stands still`;
  return {
    next: { ...state, unknown: STOPPED },
    clauses: [],
    evidence: [{ what: access.register, reading: observed }],
    labels: [],
    deviation: { identities: [identity], expected: 'the queue goes on to the tail', observed },
  };
}

/** Why a store of the queue may be missing: it did not resume, or it stopped at a wait that it should have taken. */
export function queueStandsStill(state: VtdState, view: MemoryView): FindingIdentity | undefined {
  return state.queue?.resumedAt === undefined ? silentWaitRefused(state, view) : NOT_RESUMED;
}

const NOT_RESUMED: FindingIdentity = {
  clause: 'VTD-QI-008',
  kind: 'not-resumed',
  discriminator: 'IQE cleared with head≠tail: fetches→stays',
};

/** VTD-WAIT-007 broken, where the queue holds a wait with neither SW nor IF that it may have stopped at. */
function silentWaitRefused(state: VtdState, view: MemoryView): FindingIdentity | undefined {
  const { queue } = state;
  if (queue === undefined) return undefined;
  // The head may have gone round, so any descriptor of the queue may be meant.
  const reach = Math.min(queuePlace(state).bytes, 0x1_0000);
  const offsets = Array.from({ length: Math.ceil(reach / 16) }, (_, slot) => slot * 16);
  if (!offsets.some((offset) => silentWaitAt(state, offset, view))) return undefined;
  return {
    clause: 'VTD-WAIT-007',
    kind: 'descriptor-refused',
    discriminator: 'inv_wait_dsc with SW=IF=0: accepted→IQE',
  };
}

/** Whether the descriptor at an offset of the queue is a wait with SW=0 and IF=0. */
function silentWaitAt(state: VtdState, offset: number, view: MemoryView): boolean {
  const { base } = queuePlace(state);
  const [reading] = view.readings(base + BigInt(offset), 16);
  return reading?.kind === 'words' && ((reading.words[0] ?? 0n) & 0xe3fn) === 5n;
}
