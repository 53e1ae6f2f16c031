import { match } from 'ts-pattern';
import type { Stimulus } from '../interface/scenario.js';
import { type DeliveryWorld, functionOf, type HypervisorState, numberOf, type Route, vmOf } from './state.js';

/** Most worlds that are followed. */
const MOST_WORLDS = 2000;

/** Whether a stimulus changes where a function's interrupt goes. */
export function changesRoute({ action }: Stimulus): boolean {
  return ['attach', 'detach', 'route', 'mask', 'unmask'].includes(action);
}

/** The vCPU that an argument names. */
const vcpuIn = (stimulus: Stimulus): string => `${vmOf(stimulus.actor)}.vcpu${numberOf(stimulus, 'vcpu')}`;

/** Where a function's interrupt goes once a change took effect. */
function changed(route: Route | undefined, stimulus: Stimulus): Route | undefined {
  const target = () => ({ vcpu: vcpuIn(stimulus), vector: numberOf(stimulus, 'vector') });
  return match(stimulus.action)
    .with('attach', () => ({ ...target(), masked: false }))
    .with('route', () => route && { ...route, ...target() })
    .with('mask', () => route && { ...route, masked: true })
    .with('unmask', () => route && { ...route, masked: false })
    .otherwise(() => undefined);
}

/** FWD-012, MO-5. A change of a route takes effect at one instant between request and answer. */
function withChange(world: DeliveryWorld, id: number, stimulus: Stimulus): DeliveryWorld {
  const name = functionOf(stimulus);
  const { [name]: before, ...routes } = world.routes;
  const after = changed(before, stimulus);
  const outstanding = world.outstanding.filter((each) => each !== id);
  const { [name]: coming = 0, ...underWay } = world.underWay;
  // HV-DLV-007: what had not arrived when the function was taken away never does.
  if (after === undefined) {
    return { ...world, routes, underWay, kept: world.kept.filter((each) => each !== name), outstanding };
  }
  // FWD-014: an event that was kept while the route was masked is sent on when it no longer is.
  const released = world.kept.includes(name) && !after.masked;
  return {
    ...world,
    routes: { ...routes, [name]: after },
    underWay: { ...underWay, [name]: coming + (released ? 1 : 0) },
    kept: released ? world.kept.filter((each) => each !== name) : world.kept,
    outstanding,
  };
}

/** HV-DLV-004, MO-4. Any number of a function's messages arrive as one: the vector is requested, or kept while masked. */
function withArrival(world: DeliveryWorld, name: string, merged: number): DeliveryWorld {
  const underWay = { ...world.underWay, [name]: (world.underWay[name] ?? 0) - merged };
  const route = world.routes[name];
  if (route === undefined) return { ...world, underWay };
  if (route.masked) return { ...world, underWay, kept: [...world.kept.filter((each) => each !== name), name].sort() };
  const before = world.requested[route.vcpu] ?? [];
  const requested = before.includes(route.vector) ? before : [...before, route.vector].sort((a, b) => a - b);
  return { ...world, underWay, requested: { ...world.requested, [route.vcpu]: requested } };
}

/** What may happen next in a world, without anybody asking. */
function successors(state: HypervisorState, world: DeliveryWorld): readonly DeliveryWorld[] {
  const changes = world.outstanding.flatMap((id) => {
    const open = state.open.find((each) => each.id === id);
    return open === undefined ? [] : [withChange(world, id, open.stimulus)];
  });
  const arrivals = Object.entries(world.underWay).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, merged) => withArrival(world, name, merged + 1)),
  );
  return [...changes, ...arrivals];
}

function keyOf({ routes, underWay, kept, requested, outstanding }: DeliveryWorld): string {
  const sorted = (entries: [string, unknown][]): unknown => entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const coming = Object.entries(underWay).filter(([, count]) => count > 0);
  const asked = Object.entries(requested).filter(([, vectors]) => vectors.length > 0);
  return JSON.stringify([sorted(Object.entries(routes)), sorted(coming), kept, sorted(asked), outstanding]);
}

/** Every world that may have come about by now: changes and messages take effect whenever they do. */
export function withTime(state: HypervisorState): HypervisorState {
  const found = new Map(state.worlds.map((world) => [keyOf(world), world]));
  for (const world of found.values()) {
    for (const next of successors(state, world)) {
      const key = keyOf(next);
      if (!found.has(key)) found.set(key, next);
    }
    if (found.size > MOST_WORLDS)
      return { ...state, worlds: [], lostCount: `more than ${MOST_WORLDS} worlds of interrupts` };
  }
  return { ...state, worlds: [...found.values()] };
}

/** A change was asked for: it may take effect from now on. */
export function routeAsked(state: HypervisorState, id: number, stimulus: Stimulus): HypervisorState {
  const worlds = state.worlds.map((world) => ({ ...world, outstanding: [...world.outstanding, id] }));
  const named = 'vcpu' in stimulus.arguments ? [`${vcpuIn(stimulus)}/${numberOf(stimulus, 'vector')}`] : [];
  return { ...state, worlds, everRouted: [...new Set([...state.everRouted, ...named])] };
}

/** A change was answered: it has taken effect. */
export function routeAnswered(state: HypervisorState, id: number): HypervisorState {
  return { ...state, worlds: state.worlds.filter(({ outstanding }) => !outstanding.includes(id)) };
}

/** A function's message is on its way. */
export function messageSent(state: HypervisorState, name: string): HypervisorState {
  const worlds = state.worlds.map((world) => ({
    ...world,
    underWay: { ...world.underWay, [name]: (world.underWay[name] ?? 0) + 1 },
  }));
  return { ...state, worlds };
}

/** The software rests: every message has arrived. */
export function allArrived(state: HypervisorState): HypervisorState {
  const idle = ({ underWay }: DeliveryWorld): boolean => Object.values(underWay).every((count) => count === 0);
  return { ...state, worlds: state.worlds.filter(idle) };
}
