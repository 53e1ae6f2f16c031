import { type Caches, drop, fill, type MachineRules, partsOf, SLOTS, WHOLE } from './caches.js';
import { outcomesOf } from './lookup.js';
import type { Invalidation, TinyWorld } from './world.js';

/** An invalidation takes effect just before an operation. */
export interface EffectInstant {
  /** The operation that submitted it. */
  readonly submitted: number;
  /** Which part of it, or all of it. */
  readonly part: number;
  /** The operation before which it takes effect. */
  readonly before: number;
}

/** Bits of `pending` for each operation: parts that have not taken effect. */
const PARTS = 4;

/** One way for a world to go, as far as the effect instants tell. */
export interface Branch {
  /** For each request, how it may end, as bits; any combination of them may happen. */
  readonly outcomes: readonly number[];
  readonly effects: readonly EffectInstant[];
}

interface Node extends Branch {
  readonly caches: Caches;
  /** Parts of invalidations that have not taken effect, as bits: number {@link PARTS} * operation + part. */
  readonly pending: number;
}

/**
 * Everything that hardware may do with a world: the branches differ in when the invalidations take effect, and inside
 * a branch every request may end in any of its ways whatever the others do, since fills and evictions are free.
 *
 * - An invalidation takes effect at one instant between its submission and the moment software sees it complete (N1,
 *   7.7, 7.9), or later, or never, when software does not look.
 * - In the queue, an IOTLB invalidation takes effect after every earlier context-cache one (7.9); otherwise any order (N30).
 * - A request is one at a time, so that memory does not change during it, and an invalidation that takes effect during
 *   it could as well take effect after it: what was used before would have been used at first.
 */
export function branchesOf(world: TinyWorld, rules: MachineRules): readonly Branch[] {
  const memory = [...world.memory];
  const caches = new Int32Array(SLOTS);
  fill(caches, world, memory);
  let nodes: Node[] = [{ caches, pending: 0, outcomes: [], effects: [] }];
  world.operations.forEach((operation, at) => {
    nodes = withEffects(nodes, world, memory, at, rules);
    switch (operation.op) {
      case 'change':
        memory[operation.place] = operation.value;
        for (const node of nodes) fill(node.caches, world, memory);
        break;
      case 'submit':
        nodes = nodes.map((node) => ({
          ...node,
          pending: node.pending | submission(operation.invalidation, at, rules),
        }));
        break;
      case 'observe':
        nodes = nodes.filter((node) => node.pending === 0);
        break;
      case 'request':
        nodes = nodes.map((node) => {
          const found = outcomesOf(node.caches, world, memory, operation, rules);
          return { ...node, outcomes: [...node.outcomes, found] };
        });
    }
  });
  return distinctOutcomes(nodes);
}

/** The nodes, and all that follow from them by effects of pending invalidations, in every lawful order. */
function withEffects(
  nodes: readonly Node[],
  world: TinyWorld,
  memory: readonly number[],
  before: number,
  rules: MachineRules,
): Node[] {
  const found = new Map<string, Node>();
  // A Map visits what is added on the way.
  for (const node of nodes) found.set(keyOf(node), node);
  for (const node of found.values()) {
    for (let bit = 0; bit < PARTS * before; bit++) {
      if (((node.pending >> bit) & 1) === 0 || !mayTakeEffect(world, node.pending, bit)) continue;
      const next = afterEffect(node, bit, world, memory, before, rules);
      const key = keyOf(next);
      if (!found.has(key)) found.set(key, next);
    }
  }
  return [...found.values()];
}

function afterEffect(
  node: Node,
  bit: number,
  world: TinyWorld,
  memory: readonly number[],
  before: number,
  rules: MachineRules,
): Node {
  const submitted = Math.floor(bit / PARTS);
  const invalidation = submittedAt(world, submitted);
  const part = partsOf(invalidation, rules) === 1 ? WHOLE : bit % PARTS;
  const caches = node.caches.slice();
  drop(caches, world, invalidation, rules, part);
  fill(caches, world, memory);
  const effects = [...node.effects, { submitted, part, before }];
  return { ...node, caches, effects, pending: node.pending & ~(1 << bit) };
}

/** Equal for nodes that go on alike. */
function keyOf(node: Node): string {
  return `${node.pending}|${node.outcomes.join()}|${node.caches.join()}`;
}

function submission(invalidation: Invalidation, at: number, rules: MachineRules): number {
  return ((1 << partsOf(invalidation, rules)) - 1) << (PARTS * at);
}

/** The invalidation that an operation submitted. */
export function submittedAt(world: TinyWorld, at: number): Invalidation {
  const operation = world.operations[at];
  if (operation?.op !== 'submit') throw new Error(`operation ${at} submits no invalidation`);
  return operation.invalidation;
}

/**
 * Facts 7.9: in the queue, IOTLB invalidations wait for the context-cache ones before them. The parts of one go downwards,
 * since what was filled from an upper entry has to be dropped after it.
 */
function mayTakeEffect(world: TinyWorld, pending: number, bit: number): boolean {
  const submitted = Math.floor(bit / PARTS);
  const part = bit % PARTS;
  if (submittedAt(world, submitted).cache === 'context') return true;
  const above = part === 0 ? 0 : part === 1 ? 0b01 : 0b11;
  if ((pending >> (PARTS * submitted)) & above) return false;
  if (world.through === 'registers') return true;
  for (let earlier = 0; earlier < submitted; earlier++) {
    const waiting = (pending >> (PARTS * earlier)) & ((1 << PARTS) - 1);
    if (waiting !== 0 && submittedAt(world, earlier).cache === 'context') return false;
  }
  return true;
}

function distinctOutcomes(nodes: readonly Node[]): readonly Branch[] {
  const found = new Map<string, Branch>();
  for (const { outcomes, effects } of nodes) {
    const key = outcomes.join();
    if (!found.has(key)) found.set(key, { outcomes, effects });
  }
  return [...found.values()];
}

/** Whether a branch can give these outcomes to its first requests. */
export function admits(branch: Branch, outcomes: readonly number[]): boolean {
  return outcomes.every((outcome, request) => ((branch.outcomes[request]! >> outcome) & 1) === 1);
}
