import { gather } from '../../spec/gather.js';
import type { MemoryView } from '../../spec/interface/model.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operand, RegisterAddress } from '../../spec/interface/operations.js';
import { accessOf, unitOf } from './access.js';
import { paintBytes, wordBytes } from './address-map.js';
import type { Bench } from './bench.js';
import { viewDuring } from './overlap.js';
import { advancesBefore, onItsOwn, withDeviantMessages, withMessages } from './own-ways.js';
import { requested } from './requested.js';
import { configured, signalled } from './signalled.js';
import { loaded, type Mode, stored } from './step-memory.js';
import { operandValue } from './values.js';
import { fromSuccessor, onward, undecidedWay, type Way, type World } from './world.js';

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
