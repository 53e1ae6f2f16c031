import { gather } from '../../spec/gather.js';
import type {
  DepartureSearch,
  Deviation,
  MemoryView,
  RequestSuccessor,
  Successor,
} from '../../spec/interface/model.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { DmaOperation, MessageOperation, Operand, RegisterAddress } from '../../spec/interface/operations.js';
import { accessOf, unitOf } from './access.js';
import { paintBytes, wordBytes } from './address-map.js';
import type { Bench } from './bench.js';
import { applyPieces, type Carried, carriedBy, snoopClauses } from './dma.js';
import { meetsStore, viewDuring } from './overlap.js';
import { advancesBefore, onItsOwn, withDeviantMessages, withMessages } from './own-ways.js';
import { seenAddresses } from './seen.js';
import { loaded, type Mode, stored } from './step-memory.js';
import { operandValue } from './values.js';
import { onward, statesWith, type Unit, undecidedWay, type Way, type World } from './world.js';

/**
 * Every way on from a world through step `at` that fits what was observed: what components did on
 * their own before it, the operation itself, and the interrupt messages that came out by its end.
 */
export function waysOn(bench: Bench, world: World, at: number, mode: Mode): readonly Way[] {
  if (world.abandoned !== undefined) return mode === 'admitted' ? [undecidedWay(world, at, world.abandoned)] : [];
  const starts = advancesBefore(bench, world, at);
  const plain = (how: Mode): readonly Way[] =>
    starts.length === 1
      ? operationWays(bench, starts[0]!, at, how)
      : gather(starts, (start) => operationWays(bench, start, at, how));
  if (mode === 'admitted') {
    const ways = plain('admitted');
    return ways.length === 1 ? withMessages(bench, ways[0]!, at) : gather(ways, (way) => withMessages(bench, way, at));
  }
  const silent = plain('admitted').flatMap((way) => withDeviantMessages(bench, way, at));
  const broken = plain('deviant').flatMap((way) => {
    const heard = withMessages(bench, way, at);
    return heard.length > 0 ? heard : withDeviantMessages(bench, way, at);
  });
  return [...silent, ...broken];
}

/** Every way on through the operation itself. */
function operationWays(bench: Bench, world: World, at: number, mode: Mode): readonly Way[] {
  const { operation, observation } = bench.steps[at]!;
  const view = viewDuring(bench, world.memory, at);
  switch (operation.op) {
    case 'store':
      return stored(bench, world, at, operation.address, wordBytes(operation.words, operation.repeat ?? 1), mode);
    case 'paint':
      return stored(bench, world, at, operation.address, paintBytes(Number(operation.address), operation.bytes), mode);
    case 'load':
      return loaded(bench, world, at, operation, observation, mode);
    case 'regWrite':
      return registerWritten(bench, world, at, operation, operation.value, view, mode);
    case 'regRead':
    case 'poll':
      return registerRead(bench, world, at, operation, observation, view, mode);
    case 'dma':
    case 'message':
      return requested(bench, world, at, operation, observation, view, mode);
    case 'settle':
      return mode === 'admitted' ? settled(bench, world, at) : [];
    case 'reset':
      return mode === 'admitted' ? [restarted(bench, world, at)] : [];
    case 'signal':
      return signalled(bench, world, at, observation, view, mode);
    case 'configWrite':
      if (bench.functions.followed.has(at)) return mode === 'admitted' ? [configured(world)] : [];
      return mode === 'admitted'
        ? [undecidedWay(world, at, 'configuration space beyond MSI is not specified yet')]
        : [];
    case 'configRead':
    case 'cpu':
    case 'controllerRead':
    case 'eoi':
      return mode === 'admitted' ? [undecidedWay(world, at, `operation ${operation.op} is not specified yet`)] : [];
    default:
      return operation satisfies never;
  }
}

function fromSuccessor(world: World, at: number, component: string, successor: Successor<unknown>): Way {
  const states = statesWith(world, component, successor.next);
  const undecided =
    successor.undecided === undefined ? world.undecided : [...world.undecided, { at, ...successor.undecided }];
  const next = onward(world, { states, undecided }, successor);
  const { evidence, deviation } = successor;
  return deviation === undefined ? { world: next, evidence } : { world: next, evidence, deviation };
}

function registerWritten(
  bench: Bench,
  world: World,
  at: number,
  address: RegisterAddress,
  operand: Operand,
  view: MemoryView,
  mode: Mode,
): readonly Way[] {
  if (mode === 'deviant') return [];
  const access = accessOf(bench, address);
  const value = operandValue(operand, bench.steps);
  const unit = unitOf(bench, address.component);
  if (access === undefined || value === undefined || unit === undefined)
    return [undecidedWay(world, at, 'an operand was not observed')];
  return unit.model
    .write(world.states[unit.key], access, value, view)
    .map((successor) => fromSuccessor(world, at, unit.key, successor));
}

function registerRead(
  bench: Bench,
  world: World,
  at: number,
  address: RegisterAddress,
  observation: Observation,
  view: MemoryView,
  mode: Mode,
): readonly Way[] {
  const access = accessOf(bench, address);
  const unit = unitOf(bench, address.component);
  if (access === undefined || unit === undefined)
    return mode === 'admitted' ? [undecidedWay(world, at, 'an operand was not observed')] : [];
  const value = 'value' in observation ? observation.value : undefined;
  const state = world.states[unit.key];
  if (mode === 'admitted') {
    return unit.model
      .read(state, access, value, view)
      .map((successor) => fromSuccessor(world, at, unit.key, successor));
  }
  if (value === undefined) return [];
  return unit.model
    .deviantRead(state, access, value, view)
    .map((successor) => fromSuccessor(world, at, unit.key, successor));
}

/** Everything that might explain what was seen, or only what is wanted. */
function searchFor(bench: Bench, at: number, carried: Carried): DepartureSearch {
  const { wanted, kinds } = bench;
  if (wanted === undefined) return { seen: seenAddresses(bench, at, carried) };
  return { seen: [], wanted, ...(kinds === undefined ? {} : { kinds }) };
}

function requested(
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

/** The ends of a request that the specification admits; they may have been worked out just before. */
function admittedEnds(
  bench: Bench,
  world: World,
  at: number,
  unit: Unit,
  { request }: Carried,
  view: MemoryView,
): readonly RequestSuccessor<unknown>[] {
  const state = world.states[unit.key];
  const last = bench.lastRequest.of;
  if (last !== undefined && last.state === state && last.memory === world.memory && last.at === at)
    return last.successors;
  return unit.model.request(state, request, view);
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

/** PCI-MSI-002: software programs a function's MSI capability. */
function configured(world: World): Way {
  return { world: onward(world, {}, { clauses: ['PCI-MSI-002'], labels: [], evidence: [] }), evidence: [] };
}

/** PCI-MSI-001: a function's interrupt is the message that its MSI capability holds, or none. */
function signalled(
  bench: Bench,
  world: World,
  at: number,
  observation: Observation,
  view: MemoryView,
  mode: Mode,
): readonly Way[] {
  const clauses = ['PCI-MSI-001'];
  const sent = bench.functions.sent.get(at);
  if (sent === undefined) {
    return mode === 'admitted'
      ? [{ world: onward(world, {}, { clauses, labels: [], evidence: [] }), evidence: [] }]
      : [];
  }
  if (mode === 'admitted') return resting(requested(bench, world, at, sent, observation, view, mode), clauses);
  const { messages = [], begin, complete } = observation;
  const unseen: Observation = { of: 'signal', begin, complete };
  const shown = messages.map(({ address, data }) => `${hex(data)} to ${hex(address)}`).join(', ');
  const deviation: Deviation = {
    identities: [
      {
        clause: 'PCI-MSI-001',
        kind: 'message-differs',
        discriminator: shown === '' ? 'message→none' : 'message→other',
      },
    ],
    expected: `${hex(sent.data)} to ${hex(sent.address)}, as the MSI capability says`,
    observed: shown === '' ? 'no message' : shown,
  };
  const interrupts = messages.map(({ address }) => address);
  return requested(bench, world, at, sent, unseen, view, 'admitted').map((way) => ({ ...way, interrupts, deviation }));
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Ways whose last step also rests on these clauses. */
function resting(ways: readonly Way[], clauses: readonly string[]): readonly Way[] {
  return ways.map((way) => {
    const { trail } = way.world;
    if (trail === undefined) return way;
    return { ...way, world: { ...way.world, trail: { ...trail, clauses: [...trail.clauses, ...clauses] } } };
  });
}

/** Every component comes to rest. */
function settled(bench: Bench, world: World, at: number): readonly Way[] {
  const start: readonly Way[] = [{ world: onward(world, {}), evidence: [] }];
  return bench.units.reduce(
    (ways, unit) =>
      gather(ways, (way) =>
        unit.model
          .settle(way.world.states[unit.key], way.world.memory.view(at))
          .map((successor) => ({ world: onItsOwn(way.world, at, unit.key, successor), evidence: [] })),
      ),
    start,
  );
}

/** After a reset every component is in its reset state; memory stays. */
function restarted(bench: Bench, world: World, _at: number): Way {
  const states = Object.fromEntries(
    bench.units.map(({ key, model }) => [key, model.initial(bench.profile.components[key]!, bench.profile, 'reset')]),
  );
  return { world: onward(world, { states }), evidence: [] };
}
