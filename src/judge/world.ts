import type { Evidence, Finding, Undecided } from '../../spec/interface/judgement.js';
import type { ComponentModel, Deviation, Successor } from '../../spec/interface/model.js';
import type { MemoryLog } from './memory.js';

/** What one step rested on, linked to the steps before it. */
export interface Trail {
  readonly before: Trail | undefined;
  readonly clauses: readonly string[];
  readonly labels: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** One admissible past: a choice of control, with the memory and component states it led to. Immutable. */
export interface World {
  /** State of each component, by its key in the profile. */
  readonly states: Readonly<Record<string, unknown>>;
  readonly memory: MemoryLog;
  /** Why memory is not known any more, when so. */
  readonly lost: string | undefined;
  /** Why nothing is followed any more, when so. */
  readonly abandoned: string | undefined;
  /** Known deviations that happened. */
  readonly known: readonly Finding[];
  /** Departures from rules that are not certain. */
  readonly suspected: readonly Finding[];
  readonly undecided: readonly Undecided[];
  readonly trail: Trail | undefined;
}

/** One way on from a world. */
export interface Way {
  readonly world: World;
  readonly deviation?: Deviation;
  /** Addresses of the interrupt messages that the operation itself sends. */
  readonly interrupts?: readonly bigint[];
  readonly evidence: readonly Evidence[];
}

/** The specification and the key of a component. */
export interface Unit {
  readonly key: string;
  readonly model: ComponentModel<unknown>;
  /** `model.key`, worked out once for each state. */
  readonly stateKey: (state: unknown) => string;
}

/** A component with its specification. */
export function unitFor(key: string, model: ComponentModel<unknown>): Unit {
  const keys = new Map<unknown, string>();
  const stateKey = (state: unknown): string => {
    const known = keys.get(state) ?? model.key(state);
    keys.set(state, known);
    return known;
  };
  return { key, model, stateKey };
}

/** Most worlds kept; beyond it a history is inconclusive. */
export const MOST_WORLDS = 128;

/** Merges worlds that no later operation can tell apart, keeping of each the one with the fewest known deviations. */
export function mergeWorlds(worlds: readonly World[], units: readonly Unit[]): readonly World[] {
  if (worlds.length < 2) return worlds;
  const merged = new Map<string, World>();
  const alike = new Map<number, number>();
  for (const { memory } of worlds) alike.set(memory.id, (alike.get(memory.id) ?? 0) + 1);
  for (const world of worlds) {
    // Worlds whose memory nobody shares need not be compared further.
    const alone = alike.get(world.memory.id) === 1;
    const states = alone ? '' : units.map(({ key, stateKey }) => stateKey(world.states[key])).join('|');
    const key = `${states}#${world.memory.id}#${world.lost ?? ''}`;
    const other = merged.get(key);
    if (other === undefined || cost(world) < cost(other)) merged.set(key, world);
  }
  return [...merged.values()];
}

/** Lower is better: undecided operations weigh more than known deviations. */
export function cost(world: World): number {
  return world.undecided.length * 1000 + world.known.length + world.suspected.length;
}

/** The best of several worlds. */
export function bestWorld(worlds: readonly World[]): World | undefined {
  return worlds.reduce<World | undefined>(
    (best, world) => (best === undefined || cost(world) < cost(best) ? world : best),
    undefined,
  );
}

/** A world one step on, with what the step rested on. */
export function onward(
  world: World,
  changes: Partial<Pick<World, 'states' | 'memory' | 'undecided'>>,
  from?: Pick<Successor<unknown>, 'clauses' | 'labels' | 'evidence'>,
): World {
  // Written out: a world is made at every step.
  return {
    states: changes.states ?? world.states,
    memory: changes.memory ?? world.memory,
    lost: world.lost,
    abandoned: world.abandoned,
    known: world.known,
    suspected: world.suspected,
    undecided: changes.undecided ?? world.undecided,
    trail: {
      before: world.trail,
      clauses: from?.clauses ?? NOTHING,
      labels: from?.labels ?? NOTHING,
      evidence: from?.evidence ?? NOTHING,
    },
  };
}

/** The states of a world's components, one of them changed. */
export function statesWith(world: World, key: string, state: unknown): World['states'] {
  if (world.states[key] === state) return world.states;
  // Filled key by key: a literal with a computed key is slow to make.
  const states: Record<string, unknown> = {};
  for (const each of Object.keys(world.states)) states[each] = world.states[each];
  states[key] = state;
  return states;
}

const NOTHING: readonly never[] = [];

export function undecidedWay(world: World, at: number, reason: string): Way {
  const undecided = [...world.undecided, { at, kind: 'inconclusive' as const, reason }];
  return { world: onward(world, { undecided }), evidence: [] };
}

/** The way on that a component's successor is. */
export function fromSuccessor(world: World, at: number, component: string, successor: Successor<unknown>): Way {
  const states = statesWith(world, component, successor.next);
  const undecided =
    successor.undecided === undefined ? world.undecided : [...world.undecided, { at, ...successor.undecided }];
  const next = onward(world, { states, undecided }, successor);
  const { evidence, deviation } = successor;
  return deviation === undefined ? { world: next, evidence } : { world: next, evidence, deviation };
}
