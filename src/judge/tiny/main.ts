#!/usr/bin/env node
/**
 * Tests the judge's caching rule against the machine of tiny worlds.
 *
 *     node dist/src/judge/tiny/main.js --worlds 100000 --seed 1 [--explain WORLD_SEED]
 *
 * Exits with 1 when the judge refuses something that the machine can do, with 2 for a wrong flag.
 */
import { parseArgs } from 'node:util';
import { createVerdict } from '../index.js';
import { ADMITTED_RULES, type MachineRules } from './caches.js';
import { type CompareOptions, type Comparison, compare, type Disagreement, mergeReasons } from './compare.js';
import { derivationOf } from './derive.js';
import { branchesOf } from './machine.js';
import { outcomeName, storyOf } from './names.js';
import { tinyProfile } from './platform.js';
import { type WorldOptions, worldOf } from './random.js';
import type { TinyWorld } from './world.js';

const USAGE = `usage: main.js [--worlds N] [--seed N] [--explain WORLD_SEED]
  --worlds N          how many worlds (default 1000); they have the seeds from --seed on
  --seed N            seed of the first world (default 1)
  --explain SEED      one world alone, with everything the machine can do in it
  --machine-only      enumerate, and judge nothing
  --reasons           software reads the fault record after each blocked request
  --broken-sharing    context entries of one domain may name different tables
  --own-iotlb         IOTLB entries serve the requester alone that they were made for
  --device-any-domain a device invalidation drops entries of any domain
  --device-stops-root a device invalidation stops walks that have read the root entry alone
  --in-turn           an invalidation takes effect on one cache after the other
  --show N            how many disagreements to print (default 10)`;

const FLAGS = {
  worlds: { type: 'string' },
  seed: { type: 'string' },
  explain: { type: 'string' },
  show: { type: 'string' },
  'machine-only': { type: 'boolean' },
  reasons: { type: 'boolean' },
  'broken-sharing': { type: 'boolean' },
  'own-iotlb': { type: 'boolean' },
  'device-any-domain': { type: 'boolean' },
  'device-stops-root': { type: 'boolean' },
  'in-turn': { type: 'boolean' },
} as const;

interface Plan extends CompareOptions {
  readonly worlds: number;
  readonly seed: number;
  readonly show: number;
  readonly explain: number | undefined;
  readonly machineOnly: boolean;
  readonly generation: WorldOptions;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  const number = (name: 'worlds' | 'seed' | 'explain' | 'show', otherwise: number): number => {
    const text = values[name];
    if (text === undefined) return otherwise;
    if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} is "${text}"; expected a number`);
    return Number(text);
  };
  const rules: MachineRules = {
    ...ADMITTED_RULES,
    ...(values['own-iotlb'] === true ? { sharedIotlb: false } : {}),
    ...(values['device-any-domain'] === true ? { deviceNamesDomain: false } : {}),
    ...(values['in-turn'] === true ? { inTurn: true } : {}),
    ...(values['device-stops-root'] === true ? { rootLeftBy: 'device' } : {}),
  };
  return {
    worlds: number('worlds', 1000),
    seed: number('seed', 1),
    show: number('show', 10),
    explain: values.explain === undefined ? undefined : number('explain', 0),
    machineOnly: values['machine-only'] === true,
    reasons: values.reasons === true,
    generation: { brokenSharing: values['broken-sharing'] === true },
    rules,
  };
}

/** A disagreement in words: the world, and the machine's way or the judge's finding. */
function disagreementLines(world: TinyWorld, { kind, outcomes, finding }: Disagreement, plan: Plan): readonly string[] {
  const head = kind === 'refused' ? 'the judge refuses what the machine can do' : 'the judge admits what it cannot do';
  const judged =
    finding === undefined
      ? []
      : [`  the judge: ${finding.clause} ${finding.kind}: expected ${finding.expected}, observed ${finding.observed}`];
  const way = kind === 'refused' ? ['  the machine:', ...(derivationOf(world, outcomes, plan.rules) ?? [])] : [];
  return [`${head}:`, ...storyOf(world, outcomes), ...judged, ...way, ''];
}

interface Totals {
  refused: number;
  admitted: number;
  undecided: number;
  undecidedOutcomes: number;
  possible: number;
  judged: number;
  shown: number;
  /** How often the judge gave a reason for not deciding. */
  readonly reasons: Map<string, number>;
}

function count(totals: Totals, { disagreements, undecided, reasons, possible, judged }: Comparison): void {
  const left = undecided.possible + undecided.impossible;
  if (disagreements.some((each) => each.kind === 'refused')) totals.refused++;
  if (disagreements.some((each) => each.kind === 'admitted')) totals.admitted++;
  if (left > 0) totals.undecided++;
  totals.undecidedOutcomes += left;
  totals.possible += possible;
  totals.judged += judged;
  for (const reason of reasons) totals.reasons.set(reason, (totals.reasons.get(reason) ?? 0) + 1);
}

/** Compares every world of a plan, with progress on standard error; gives the exit status. */
function run(plan: Plan): number {
  const profile = tinyProfile();
  const verdictOn = createVerdict();
  const totals: Totals = {
    refused: 0,
    admitted: 0,
    undecided: 0,
    undecidedOutcomes: 0,
    possible: 0,
    judged: 0,
    shown: 0,
    reasons: new Map(),
  };
  const step = Math.max(1, Math.floor(plan.worlds / 20));
  for (let n = 0; n < plan.worlds; n++) {
    const world = worldOf(plan.seed + n, plan.generation);
    const comparison = compare(world, verdictOn, profile, plan);
    count(totals, comparison);
    for (const each of comparison.disagreements) {
      if (totals.shown++ < plan.show) for (const line of disagreementLines(world, each, plan)) say(line);
    }
    if ((n + 1) % step === 0) process.stderr.write(`${n + 1} of ${plan.worlds} worlds\n`);
  }
  const share = (worlds: number): string => `${worlds} (${((100 * worlds) / plan.worlds).toFixed(2)}%)`;
  say(`worlds: ${plan.worlds}, seeds ${plan.seed} to ${plan.seed + plan.worlds - 1}`);
  say(`histories judged: ${totals.judged}, of which the machine can do ${totals.possible}`);
  say(`worlds in which the judge refuses what the machine can do: ${share(totals.refused)}`);
  say(`worlds in which the judge admits more: ${share(totals.admitted)}`);
  say(`worlds in which the judge leaves something undecided: ${share(totals.undecided)}`);
  say(`histories left undecided: ${totals.undecidedOutcomes}`);
  for (const [reason, times] of [...totals.reasons].sort((a, b) => b[1] - a[1]).slice(0, 8))
    say(`  ${times}: ${reason}`);
  return totals.refused > 0 ? 1 : 0;
}

function enumerate(plan: Plan): number {
  let branches = 0;
  let open = 0;
  const outcomes = [0, 0, 0, 0];
  for (let n = 0; n < plan.worlds; n++) {
    const found = branchesOf(worldOf(plan.seed + n, plan.generation), plan.rules).map(mergeReasons);
    branches += found.length;
    const requests = found[0]!.outcomes.map((_, at) => found.reduce((mask, each) => mask | each.outcomes[at]!, 0));
    const sizes = requests.map((mask) => mask.toString(2).replaceAll('0', '').length);
    for (const size of sizes) outcomes[Math.min(size, outcomes.length) - 1]!++;
    if (sizes.some((size) => size > 1)) open++;
  }
  say(`worlds: ${plan.worlds}, branches that differ: ${branches}`);
  say(`worlds with a request that may end in several ways: ${open}`);
  say(`requests that may end in 1, 2, 3, more ways: ${outcomes.join(', ')}`);
  return 0;
}

function explain(plan: Plan, seed: number): number {
  const world = worldOf(seed, plan.generation);
  for (const line of storyOf(world)) say(line);
  say('the machine can do, by effect instants:');
  for (const { outcomes, effects } of branchesOf(world, plan.rules)) {
    const when = effects.map(({ submitted, before }) => `${submitted} takes effect before ${before}`).join(', ');
    say(`  ${when === '' ? 'nothing takes effect' : when}`);
    for (const found of outcomes) {
      const names = Array.from({ length: 8 }, (_, bit) => bit).filter((bit) => (found >> bit) & 1);
      say(`    ${names.map(outcomeName).join(' or ')}`);
    }
  }
  const { disagreements, undecided, judged } = compare(world, createVerdict(), tinyProfile(), plan);
  say(`histories judged: ${judged}; undecided: ${undecided.possible} possible, ${undecided.impossible} impossible`);
  for (const each of disagreements) for (const line of disagreementLines(world, each, plan)) say(line);
  return disagreements.some((each) => each.kind === 'refused') ? 1 : 0;
}

function main(args: readonly string[]): number {
  let plan: Plan;
  try {
    plan = planOf(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    return 2;
  }
  if (plan.explain !== undefined) return explain(plan, plan.explain);
  return plan.machineOnly ? enumerate(plan) : run(plan);
}

process.exitCode = main(process.argv.slice(2));
