import { gather } from '../../spec/gather.js';
import type { MemoryRange, MemoryView, Occasion, Pushed, Successor } from '../../spec/interface/model.js';
import type { InterruptMessage } from '../../spec/interface/observations.js';
import { accessOf, unitOf } from './access.js';
import type { Bench } from './bench.js';
import { carriedBy } from './dma.js';
import { statesWith, type Unit, type Way, type World } from './world.js';

/** What components do on their own: write memory, send messages, get on with their work. */

/** A world after a component went on by itself. What it wrote is in memory; what it rested on is added to the last step. */
export function onItsOwn(world: World, at: number, key: string, successor: Successor<unknown>): World {
  const idle = successor.undecided === undefined && successor.stores === undefined && successor.clauses.length === 0;
  if (idle && successor.next === world.states[key]) return world;
  let { memory, lost } = world;
  for (const { address, data, clause } of successor.stores ?? []) {
    memory = memory.store(Number(address), data, at, `!${address}=${data.join()}`, clause);
  }
  if (successor.undecided !== undefined) lost = successor.undecided.reason;
  const undecided =
    successor.undecided === undefined ? world.undecided : [...world.undecided, { at, ...successor.undecided }];
  const trail =
    world.trail === undefined || successor.clauses.length === 0
      ? world.trail
      : { ...world.trail, clauses: [...world.trail.clauses, ...successor.clauses] };
  return { ...world, states: statesWith(world, key, successor.next), memory, lost, undecided, trail };
}

function allIdle(bench: Bench, world: World): boolean {
  return bench.units.every((unit) => unit.model.idle(world.states[unit.key]));
}

/** The worlds that a step may begin in: components may have got on before it. */
export function advancesBefore(bench: Bench, world: World, at: number): readonly World[] {
  if (allIdle(bench, world)) return [world];
  return bench.units.reduce<readonly World[]>(
    (worlds, unit) =>
      gather(worlds, (each) => {
        const occasions = occasionsOf(bench, each, unit, at);
        return occasions.reduce<readonly World[]>(
          (reached, occasion) => gather(reached, (one) => advanced(one, unit, occasion, at)),
          [each],
        );
      }),
    [world],
  );
}

function advanced(world: World, unit: Unit, occasion: Occasion, at: number): readonly World[] {
  return unit.model
    .advances(world.states[unit.key], occasion, world.memory.view(at))
    .map((successor) => onItsOwn(world, at, unit.key, successor));
}

/** What a step may show of a component's own work, or race with. */
function occasionsOf(bench: Bench, world: World, unit: Unit, at: number): readonly Occasion[] {
  const { operation, observation } = bench.steps[at]!;
  switch (operation.op) {
    case 'store':
    case 'paint': {
      const bytes = operation.op === 'paint' ? operation.bytes : operation.words.length * 8 * (operation.repeat ?? 1);
      return memoryOccasions(world, unit, at, [{ address: operation.address, bytes }]);
    }
    case 'load': {
      const { address, bytes } = operation;
      const data = observation.of === 'load' ? observation.data : undefined;
      return memoryOccasions(world, unit, at, [{ address, bytes }], data && { address, data });
    }
    case 'regRead':
    case 'poll':
    case 'regWrite': {
      if (operation.component !== unit.key) return [];
      const access = accessOf(bench, operation);
      if (access === undefined) return [];
      return [{ kind: 'register', access, direction: operation.op === 'regWrite' ? 'write' : 'read' }];
    }
    case 'dma':
    case 'message': {
      const touched = touchedBy(bench, world, unit, at);
      return [...memoryOccasions(world, unit, at, touched), { kind: 'request' }];
    }
    case 'signal':
      return [{ kind: 'request' }];
    default:
      return [];
  }
}

/** Memory that is touched where the component may still write on its own. */
function memoryOccasions(
  world: World,
  unit: Unit,
  at: number,
  ranges: readonly MemoryRange[],
  seen?: { readonly address: bigint; readonly data: Uint8Array },
): readonly Occasion[] {
  const own = unit.model.ownStores(world.states[unit.key], world.memory.view(at));
  const meets = (range: MemoryRange): boolean =>
    own.some(
      (each) => each.address < range.address + BigInt(range.bytes) && range.address < each.address + BigInt(each.bytes),
    );
  const hit = ranges.filter(meets);
  if (hit.length === 0) return [];
  return [seen === undefined ? { kind: 'memory', ranges: hit } : { kind: 'memory', ranges: hit, seen }];
}

/** Memory that a request reads and writes, tables included; nothing where no component writes on its own. */
function touchedBy(bench: Bench, world: World, unit: Unit, at: number): readonly MemoryRange[] {
  const { operation } = bench.steps[at]!;
  const view = world.memory.view(at);
  if (operation.op !== 'dma' && operation.op !== 'message') return [];
  if (unit.model.ownStores(world.states[unit.key], view).length === 0) return [];
  const carried = carriedBy(bench.profile, operation);
  const translator = carried === undefined ? undefined : unitOf(bench, carried.component);
  if (carried === undefined || translator === undefined) return [];
  const touched: MemoryRange[] = [];
  const recording: MemoryView = {
    now: view.now,
    readings: (address, bytes) => {
      touched.push({ address, bytes });
      return view.readings(address, bytes);
    },
    versions: (address, bytes) => {
      touched.push({ address, bytes });
      return view.versions(address, bytes);
    },
  };
  const state = world.states[translator.key];
  const successors = translator.model.request(state, carried.request, recording);
  if (bench.overlaps.size === 0) bench.endings.note({ state, memory: world.memory, at, successors });
  const reached = successors.flatMap(({ pieces }) =>
    pieces.flatMap(({ effect, bytes }) => (effect.kind === 'memory' ? [{ address: effect.address, bytes }] : [])),
  );
  return [...touched, ...reached];
}

/** The messages of a step that are not a device's own, or `undefined` where messages are not observed. */
function eventMessages(bench: Bench, way: Way, at: number): readonly InterruptMessage[] | undefined {
  const { messages } = bench.steps[at]!.observation;
  if (messages === undefined || messages.length === 0 || way.interrupts === undefined) return messages;
  let left = messages;
  for (const address of way.interrupts) {
    const own = left.findIndex((message) => message.address === address);
    if (own >= 0) left = left.filter((_, index) => index !== own);
  }
  return left;
}

/** What a step pushes out: a register access the messages of its kind, a settle everything. */
function pushedBy(bench: Bench, unit: Unit, at: number): Pushed {
  const { operation } = bench.steps[at]!;
  if (operation.op === 'settle') return 'everything';
  if (operation.op !== 'regRead' && operation.op !== 'poll') return undefined;
  return operation.component === unit.key ? accessOf(bench, operation) : undefined;
}

/** Ways in which the messages of a step fit a way through it. Empty: they do not. */
export function withMessages(bench: Bench, way: Way, at: number): readonly Way[] {
  const observed = eventMessages(bench, way, at);
  if (way.world.abandoned !== undefined || isOpen(way, at)) return [way];
  if ((observed === undefined || observed.length === 0) && allIdle(bench, way.world)) return [way];
  let ways: readonly { readonly world: World; readonly rest: readonly InterruptMessage[] | undefined }[] = [
    { world: way.world, rest: observed },
  ];
  for (const unit of bench.units) {
    const pushed = pushedBy(bench, unit, at);
    ways = gather(ways, ({ world, rest }) => {
      const from = rest === undefined || rest.length === 0 ? [world] : advanced(world, unit, { kind: 'messages' }, at);
      return gather(from, (each) =>
        unit.model.messages(each.states[unit.key], rest, pushed).map((successor) => ({
          world: onItsOwn(each, at, unit.key, successor),
          rest: rest === undefined ? undefined : successor.rest,
        })),
      );
    });
  }
  return ways.filter(({ rest }) => rest === undefined || rest.length === 0).map(({ world }) => ({ ...way, world }));
}

/** A way whose messages do not fit, as a departure. */
export function withDeviantMessages(bench: Bench, way: Way, at: number): readonly Way[] {
  const observed = eventMessages(bench, way, at);
  if (observed === undefined || way.world.abandoned !== undefined || isOpen(way, at)) return [];
  return bench.units.flatMap((unit) =>
    unit.model.deviantMessages(way.world.states[unit.key], observed, pushedBy(bench, unit, at)).map((successor) => ({
      world: onItsOwn(way.world, at, unit.key, successor),
      evidence: successor.evidence,
      ...(successor.deviation === undefined ? {} : { deviation: successor.deviation }),
    })),
  );
}

/** Whether nothing is said of the step, so that any message may come. */
function isOpen(way: Way, at: number): boolean {
  return way.world.undecided.at(-1)?.at === at;
}
