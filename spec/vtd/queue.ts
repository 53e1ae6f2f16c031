import { field, isSet } from '../bits.js';
import { gather } from '../gather.js';
import type { MemoryView, Reading } from '../interface/model.js';
import { IQA_FIELDS, IQT_FIELDS, RTADDR_FIELDS, TABLE_MODE } from '../layout/vtd.js';
import { DESCRIPTOR_BYTES, QUEUE_ERROR } from '../layout/vtd-queue.js';
import type { Capabilities } from './capabilities.js';
import { type Command, type Decoded, type DescriptorError, decodeDescriptor } from './descriptor.js';
import { type QueueState, queueWith } from './queue-state.js';
import type { VtdState } from './state.js';

/** Where the queue lies. Facts 1.6. */
export interface QueuePlace {
  readonly base: bigint;
  /** Bytes of the queue, and of a descriptor. */
  readonly bytes: number;
  readonly step: 16 | 32;
}

/** IQA in bytes. VTD-QI-003: the queue is 2^(QS+12) bytes long. */
export function queuePlace(state: VtdState): QueuePlace {
  const iqa = state.stored['IQA'] ?? 0n;
  const width = isSet(iqa, IQA_FIELDS.DW) ? 1 : 0;
  return {
    base: field(iqa, IQA_FIELDS.IQA) << 12n,
    bytes: 4096 << Number(field(iqa, IQA_FIELDS.QS)),
    step: DESCRIPTOR_BYTES[width],
  };
}

/** IQT as a byte offset. VTD-REG-016: bits 18:4. */
export function tailOffset(state: VtdState): number {
  return Number(field(state.stored['IQT'] ?? 0n, IQT_FIELDS.QT)) * 16;
}

/** Where what was handed over ends. */
export function endOffset(queue: QueueState): number {
  return queue.submitted.at(-1)?.to ?? queue.head;
}

/**
 * IQT was written while QIES=1. Facts 7.9.
 *
 * 1. VTD-QI-009: outside the queue: IQEI 1. VTD-QI-010: not aligned to the descriptor: IQEI 6.
 * 2. VTD-QI-007: with IQE=1 nothing starts; the tail counts when IQE is cleared.
 * 3. Moved back over descriptors that may be fetched already: nothing can be said (`undefined`).
 */
export function handOver(state: VtdState, queue: QueueState, now: number): QueueState | undefined {
  const { bytes, step } = queuePlace(state);
  const to = tailOffset(state);
  const bad = (code: number, clause: string, cause: string): QueueState =>
    queueWith(queue, { badTail: { codes: [code], clause, causes: [cause] } });
  if (to >= bytes) return bad(QUEUE_ERROR.tailInvalid, 'VTD-QI-009', 'IQT outside the queue');
  if (to % step !== 0) return bad(QUEUE_ERROR.tailMisaligned, 'VTD-QI-010', 'IQT[4] with DW=1');
  const good = queueWith(queue, { badTail: undefined });
  if (queue.error !== undefined) {
    return queueWith(good, { tailIgnored: true, submitted: to === queue.head ? [] : [{ to, tick: now }] });
  }
  if (queue.badTail !== undefined) return undefined;
  const end = endOffset(queue);
  if (to === end) return queue;
  const waiting = (end - queue.head + bytes) % bytes;
  if (waiting + ((to - end + bytes) % bytes) >= bytes) return undefined;
  return queueWith(queue, { submitted: [...queue.submitted, { to, tick: now }] });
}

/** One way to read what was handed over: the valid descriptors in order, and what follows them. */
export interface Sequence {
  readonly items: readonly { readonly command: Command; readonly submitted: number; readonly next: number }[];
  /** The first bad descriptor, or why nothing more can be said. */
  readonly end: Exclude<Decoded, Command> | undefined;
}

/** Most ways of reading the queue that are followed. */
const MOST_SEQUENCES = 8;
/** Most descriptors read at once. */
const MOST_DESCRIPTORS = 1024;

/** Every way to read what is handed over and not fetched yet. */
export function sequencesOf(state: VtdState, queue: QueueState, view: MemoryView): readonly Sequence[] {
  if (queue.error !== undefined) return [{ items: [], end: undefined }];
  const general = generalErrors(state, queue);
  if (general !== undefined) return [{ items: [], end: { kind: 'error', error: general } }];
  let open: readonly Sequence[] = [{ items: [], end: undefined }];
  let at = queue.head;
  const place = queuePlace(state);
  const mode = modeOf(state);
  const { bytes, step } = place;
  const closed: Sequence[] = [];
  for (const { to, tick } of queue.submitted) {
    for (; at !== to && open.length > 0; at = (at + step) % bytes) {
      const next = (at + step) % bytes;
      const grown = gather(open, (sequence) =>
        decodedAt({ caps: state.caps, place, mode }, at, tick, view).map((decoded) =>
          grow(sequence, decoded, tick, next),
        ),
      );
      closed.push(...grown.filter((each) => each.end !== undefined));
      open = grown.filter((each) => each.end === undefined);
      const long = (open[0]?.items.length ?? 0) > MOST_DESCRIPTORS;
      if (long || open.length + closed.length > MOST_SEQUENCES) return [tooMuch];
    }
  }
  const { badTail } = queue;
  const finished =
    badTail === undefined ? open : open.map((each) => ({ ...each, end: { kind: 'error', error: badTail } as const }));
  return [...closed, ...finished];
}

const tooMuch: Sequence = { items: [], end: { kind: 'undecided', reason: 'too many ways to read the queue' } };

function grow(sequence: Sequence, decoded: Decoded, submitted: number, next: number): Sequence {
  if (decoded.kind === 'error' || decoded.kind === 'undecided') return { items: sequence.items, end: decoded };
  return { items: [...sequence.items, { command: decoded, submitted, next }], end: sequence.end };
}

/**
 * Errors that hold for every descriptor. Facts 1.6, 7.4.
 *
 * 1. VTD-QI-011: DW=1 without SMTS and ADMS: IQEI 5. VTD-QI-012: DW=0 in abort-DMA mode: IQEI 5 or 3.
 * 2. VTD-QI-R01: a TTM that is not valid: IQEI 7.
 */
function generalErrors(state: VtdState, queue: QueueState): DescriptorError | undefined {
  if (queue.submitted.length === 0) return undefined;
  const { caps } = state;
  const wide = queuePlace(state).step === 32;
  const mode = modeOf(state);
  const codes: number[] = [];
  const causes: string[] = [];
  if (wide && !caps.scalableMode && !caps.abortMode) {
    codes.push(QUEUE_ERROR.widthInvalid);
    causes.push('IQA.DW=1 without SMTS and ADMS');
  }
  if (mode === 'invalid') {
    codes.push(QUEUE_ERROR.tableModeInvalid);
    causes.push('TTM invalid');
  } else if (mode === TABLE_MODE.abort && !wide) {
    codes.push(QUEUE_ERROR.widthInvalid, QUEUE_ERROR.typeInvalid);
    causes.push('IQA.DW=0 in abort-DMA mode');
  }
  if (causes.length === 0) return undefined;
  const clause = mode === 'invalid' ? 'VTD-QI-R01' : wide ? 'VTD-QI-011' : 'VTD-QI-012';
  return { codes, clause, causes };
}

/**
 * The table mode that decides about descriptors. Which TTM counts is not said ([i]), so nothing is
 * decided while the written and the latched one differ.
 */
function modeOf(state: VtdState): number | 'invalid' | 'open' {
  const { caps, stored } = state;
  const latched = state.root?.mode ?? TABLE_MODE.legacy;
  const isKnown = field(state.rootAddressKnown, RTADDR_FIELDS.TTM) !== 0n;
  const written = isKnown ? Number(field(stored['RTADDR'] ?? 0n, RTADDR_FIELDS.TTM)) : latched;
  if (latched !== written || state.pending.setRoot !== undefined) return 'open';
  if (latched === TABLE_MODE.scalable) return caps.scalableMode ? 'open' : 'invalid';
  if (latched === TABLE_MODE.abort) return caps.abortMode ? latched : 'invalid';
  return latched === TABLE_MODE.legacy ? latched : 'invalid';
}

/** How descriptors are read. */
interface QueueReader {
  readonly caps: Capabilities;
  readonly place: QueuePlace;
  readonly mode: ReturnType<typeof modeOf>;
}

/** What the descriptor at an offset may be taken for. VTD-QI-R02: an unreadable one: IQEI 2. */
function decodedAt(
  { caps, place, mode }: QueueReader,
  at: number,
  since: number,
  view: MemoryView,
): readonly Decoded[] {
  if (mode === 'open' || mode === 'invalid') {
    return [{ kind: 'undecided', reason: 'descriptors outside legacy mode are not specified yet' }];
  }
  const { base, step } = place;
  if (base >> BigInt(caps.hostAddressWidth) !== 0n) return [{ kind: 'undecided', reason: 'IQA above HAW' }];
  const address = base + BigInt(at);
  const context = { caps, wide: step === 32, mode };
  const halves = step === 32 ? [0n, 16n] : [0n];
  const changed = (half: bigint): boolean =>
    view.versions(address + half, 16).some(({ until }) => until > since && until < Infinity);
  if (halves.some(changed)) {
    return [{ kind: 'undecided', reason: 'a descriptor changed while the unit owned it' }];
  }
  const readings = view.readings(address, 16);
  return gather(readings, (reading) => {
    const second = step === 32 ? (view.readings(address + 16n, 16)[0] ?? reading) : undefined;
    return decodeReading([reading, ...(second === undefined ? [] : [second])], context);
  });
}

function decodeReading(
  pieces: readonly Reading[],
  context: Parameters<typeof decodeDescriptor>[1],
): readonly Decoded[] {
  let bits = 0n;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'undecided') return [{ kind: 'undecided', reason: piece.reason }];
    if (piece.kind === 'unreadable') {
      const error = { codes: [QUEUE_ERROR.fetchFailed], clause: 'VTD-QI-R02', causes: ['unreadable descriptor'] };
      return [{ kind: 'error', error }];
    }
    const [low = 0n, high = 0n] = piece.words;
    bits |= (low | (high << 64n)) << BigInt(128 * index);
  }
  return decodeDescriptor(bits, context);
}

/** The queue with the first descriptors of a sequence fetched. VTD-QI-R03: the head moves only past valid descriptors. */
export function fetchFrom(queue: QueueState, sequence: Sequence, count: number): QueueState {
  if (count === 0) return queue;
  const taken = sequence.items.slice(0, count);
  const fetched = taken.map(({ command, submitted }, index) => ({ order: queue.count + index, submitted, command }));
  const head = taken.at(-1)?.next ?? queue.head;
  let left = count;
  // Whole tail writes are dropped once everything they handed over is fetched.
  const rest = queue.submitted.filter(({ to }) => {
    if (left < 0) return true;
    const reached = sequence.items.findIndex((item) => item.next === to) + 1;
    if (reached > 0 && reached <= count) return false;
    left = -1;
    return true;
  });
  return queueWith(queue, {
    head,
    submitted: rest,
    fetched: [...queue.fetched, ...fetched.filter((each) => each.command.kind !== 'other')],
    count: queue.count + count,
    ended: taken.at(-1)?.command.kind === 'wait',
  });
}

/** Whether the unit may still do something on its own. */
export function isBusy(queue: QueueState | undefined): boolean {
  return queue !== undefined && (queue.fetched.length > 0 || (queue.error === undefined && hasWork(queue)));
}

/** Whether something was handed over that is not fetched. */
export function hasWork(queue: QueueState): boolean {
  return queue.submitted.length > 0 || queue.badTail !== undefined;
}
