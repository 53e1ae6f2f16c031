import { CONTEXTS, drop, fill, LATCHED, LEAVES, type MachineRules, MIDDLE, SLOTS, UPPER, WHOLE } from './caches.js';
import { outcomesOf } from './lookup.js';
import { admits, branchesOf, type EffectInstant, submittedAt } from './machine.js';
import { contextName, frameName, invalidationName, level1Name, level2Name, outcomeName, rightsName } from './names.js';
import type { TinyWorld } from './world.js';

/** How the machine comes to outcomes, for people. */

/** How an entry came to be cached; kept whole, since what it came from may be dropped and filled again. */
interface Origin {
  readonly entry: number;
  readonly since: string;
  readonly from: Origin | undefined;
}

/** The effect instants and the entries by which the first requests end like that; `undefined`: the machine cannot do it. */
export function derivationOf(
  world: TinyWorld,
  outcomes: readonly number[],
  rules: MachineRules,
): readonly string[] | undefined {
  const branch = branchesOf(world, rules).find((each) => admits(each, outcomes));
  return branch === undefined ? undefined : replay(world, branch.effects, outcomes, rules);
}

function replay(
  world: TinyWorld,
  effects: readonly EffectInstant[],
  outcomes: readonly number[],
  rules: MachineRules,
): readonly string[] {
  const memory = [...world.memory];
  const caches = new Int32Array(SLOTS);
  const origins = new Map<number, Origin>();
  const lines: string[] = [];
  const filled = (since: string): void =>
    fill(caches, world, memory, (entry, from) => {
      origins.set(entry, { entry, since, from: origins.get(from) });
    });
  filled('at the start');
  let request = 0;
  world.operations.forEach((operation, at) => {
    for (const effect of effects) {
      if (effect.before !== at) continue;
      const invalidation = submittedAt(world, effect.submitted);
      const part = effect.part === WHOLE ? '' : `part ${effect.part} of `;
      lines.push(
        `  before ${at}: ${part}${invalidationName(invalidation)} (submitted by ${effect.submitted}) takes effect`,
      );
      drop(caches, world, invalidation, rules, effect.part);
      filled(`before ${at}, after that effect`);
    }
    if (operation.op === 'change') {
      memory[operation.place] = operation.value;
      filled(`after ${at}`);
    }
    if (operation.op !== 'request') return;
    const wanted = outcomes[request++];
    outcomesOf(caches, world, memory, operation, rules, (outcome, from, how) => {
      if (outcome !== wanted) return;
      lines.push(`  ${at}: ${outcomeName(outcome)}: ${how}`, ...chain(origins.get(from)));
    });
  });
  return lines;
}

function chain(origin: Origin | undefined): readonly string[] {
  if (origin === undefined) return [];
  return [`      ${entryName(origin.entry)}, filled ${origin.since}`, ...chain(origin.from)];
}

function entryName(entry: number): string {
  const slot = entry >> 5;
  const value = entry & 31;
  if (slot < CONTEXTS) return `root entry read for r${slot - LATCHED}: table K${value}`;
  if (slot < UPPER) return `context cache, r${slot - CONTEXTS}: ${contextName(value)}`;
  const rights = rightsName(value);
  if (slot < MIDDLE) return `level-3 cache, domain ${slot - UPPER + 1}: ${level2Name(value >> 2)} ${rights}`;
  if (slot < LEAVES) {
    const key = slot - MIDDLE;
    return `level-2 cache, domain ${(key >> 1) + 1}, region ${key & 1}: ${level1Name(value >> 2)} ${rights}`;
  }
  const key = slot - LEAVES;
  const place = `r${key >> 2}, page ${(key >> 1) & 1}, domain ${(key & 1) + 1}`;
  return `IOTLB, ${place}: ${frameName(value >> 2)} ${rights}`;
}
