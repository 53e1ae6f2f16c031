import { gather } from '../../spec/gather.js';
import type { DepartureSearch, MemoryView, RequestSuccessor } from '../../spec/interface/model.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { DmaOperation, MessageOperation } from '../../spec/interface/operations.js';
import { unitOf } from './access.js';
import type { Bench } from './bench.js';
import { applyPieces, type Carried, carriedBy, snoopClauses } from './dma.js';
import { meetsStore } from './overlap.js';
import { seenAddresses } from './seen.js';
import type { Mode } from './step-memory.js';
import { fromSuccessor, type Unit, undecidedWay, type Way, type World } from './world.js';

/** Everything that might explain what was seen, or only what is wanted. */
function searchFor(bench: Bench, at: number, carried: Carried): DepartureSearch {
  const { wanted, kinds } = bench;
  if (wanted === undefined) return { seen: seenAddresses(bench, at, carried) };
  return { seen: [], wanted, ...(kinds === undefined ? {} : { kinds }) };
}

/** Every way on through a device's request. */
export function requested(
  bench: Bench,
  world: World,
  at: number,
  operation: DmaOperation | MessageOperation,
  observation: Observation,
  view: MemoryView,
  mode: Mode,
): readonly Way[] {
  const carried = carriedBy(bench.profile, operation);
  const unit = carried === undefined ? undefined : unitOf(bench, carried.component);
  if (carried === undefined || unit === undefined)
    return mode === 'admitted' ? [undecidedWay(world, at, 'requester is not translated')] : [];
  const state = world.states[unit.key];
  const successors =
    mode === 'admitted'
      ? admittedEnds(bench, world, at, unit, carried, view)
      : unit.model.deviantRequest(state, carried.request, view, searchFor(bench, at, carried));
  const ways = gather(successors, (successor) => requestWay(bench, world, at, unit, carried, successor, observation));
  if (mode === 'admitted' || ways.length > 0 || bench.wanted !== undefined) return ways;
  return unexplained(bench, world, at, unit, carried, observation);
}

/** The ends of a request that the specification admits; they may have been worked out before. */
export function admittedEnds(
  bench: Bench,
  world: World,
  at: number,
  unit: Unit,
  { request }: Carried,
  view: MemoryView,
): readonly RequestSuccessor<unknown>[] {
  const state = world.states[unit.key];
  const known = bench.endings.find(at, state, world.memory);
  if (known !== undefined) return known;
  const successors = unit.model.request(state, request, view);
  if (bench.overlaps.size === 0) bench.endings.note({ state, memory: world.memory, at, successors });
  return successors;
}

/** PLAT-DMA-001: what the device saw contradicts every way for its request to end. Goes on as the first admitted way. */
function unexplained(
  bench: Bench,
  world: World,
  at: number,
  unit: Unit,
  carried: Carried,
  observation: Observation,
): readonly Way[] {
  const { begin, complete } = observation;
  const unseen: Observation = { of: 'dma', begin, complete };
  const successors = unit.model.request(world.states[unit.key], carried.request, world.memory.view(at));
  const [way] = gather(successors, (successor) => requestWay(bench, world, at, unit, carried, successor, unseen));
  if (way === undefined || observation.of !== 'dma') return [];
  const ended = successors[0]?.pieces.map(({ effect }) => effect.kind).join(', ') ?? '';
  const saw = `${observation.status ?? 'no status'}, ${observation.data === undefined ? 'no data' : 'data'}`;
  const identity = {
    clause: 'PLAT-DMA-001',
    kind: 'value-differs',
    discriminator: `${carried.request.access}: ${ended}→${saw}`,
  };
  return [{ ...way, deviation: { identities: [identity], expected: ended, observed: saw } }];
}

function requestWay(
  bench: Bench,
  world: World,
  at: number,
  unit: Unit,
  carried: Carried,
  successor: RequestSuccessor<unknown>,
  observation: Observation,
): readonly Way[] {
  if (successor.undecided !== undefined) {
    const way = fromSuccessor(world, at, unit.key, successor);
    return [{ ...way, world: { ...way.world, lost: successor.undecided.reason } }];
  }
  if (bench.overlaps.size > 0 && meetsStore(bench, at, successor.pieces)) {
    const undecided = { kind: 'inconclusive', reason: 'data of a request was stored while it was under way' } as const;
    return requestWay(bench, world, at, unit, carried, { ...successor, undecided }, observation);
  }
  const applied = applyPieces(world, successor.pieces, carried, observation, bench.map, at);
  if (applied === undefined) return [];
  const interrupts = gather(successor.pieces, ({ effect, offset }) =>
    effect.kind === 'interrupt' ? [carried.request.address + BigInt(offset)] : [],
  );
  const seen = withDeviceView(successor, observation);
  const clauses = [...seen.clauses, ...snoopClauses(successor.pieces, observation)];
  const plain = fromSuccessor(applied.world, at, unit.key, { ...seen, clauses });
  const way = interrupts.length === 0 ? plain : { ...plain, interrupts };
  if (applied.lost === undefined) return [way];
  const undecided = [...way.world.undecided, { at, kind: 'inconclusive' as const, reason: applied.lost }];
  return [{ ...way, world: { ...way.world, lost: applied.lost, undecided } }];
}

/** PLAT-DMA-001: what the device saw of its request fits. */
function withDeviceView(successor: RequestSuccessor<unknown>, observation: Observation): RequestSuccessor<unknown> {
  const seen = observation.of === 'dma' && (observation.status ?? observation.data) !== undefined;
  return seen ? { ...successor, clauses: [...successor.clauses, 'PLAT-DMA-001'] } : successor;
}
