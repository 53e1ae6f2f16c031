import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { type Platform, platformOf, withoutProtection } from './generators/capabilities.js';
import { requestArbitrary, slotArbitrary } from './generators/draws.js';
import type { RequestIntent, SlotIntent } from './generators/intents.js';
import { ArenaMemory } from './generators/memory.js';
import { bordersOf, ProtectionCase, type RegionName, regionNames } from './generators/protection.js';

const SIDES = ['before', 'at', 'across', 'beside'] as const;

/** One thing done with protected memory. */
export type ProtectionStep =
  | {
      readonly act: 'program';
      readonly region: RegionName;
      readonly from: number;
      readonly to: number;
      readonly halves: boolean;
    }
  | { readonly act: 'protect'; readonly on: boolean }
  | { readonly act: 'translate' }
  | {
      readonly act: 'probe';
      readonly who: number;
      readonly border: number;
      readonly side: (typeof SIDES)[number];
      readonly request: RequestIntent;
    };

export interface ProtectionIntents {
  readonly slot: SlotIntent;
  /** Starts without translation. */
  readonly reset: boolean;
  readonly queued: boolean;
  /** Border numbers of each region at the start. */
  readonly regions: readonly (readonly [number, number])[];
  readonly steps: readonly ProtectionStep[];
}

function steps(platform: Platform): Arbitrary<ProtectionStep> {
  const border = fc.nat(15);
  const program = fc.record({
    act: fc.constant('program'),
    region: fc.constantFrom(...regionNames(platform)),
    from: border,
    to: border,
    halves: fc.boolean(),
  });
  const probe = fc.record({
    act: fc.constant('probe'),
    who: fc.nat(Math.max(0, platform.requesters.length - 1)),
    border,
    side: fc.constantFrom(...SIDES),
    request: requestArbitrary(),
  });
  return fc.oneof(
    { weight: 3, arbitrary: program },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('protect'), on: fc.nat(3).map((n) => n > 0) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('translate') }) },
    { weight: 16, arbitrary: probe },
  );
}

function perform(made: ProtectionCase, step: ProtectionStep): void {
  switch (step.act) {
    case 'program':
      made.program(step.region, step.from, step.to, step.halves);
      return;
    case 'protect':
      made.protect(step.on);
      return;
    case 'translate':
      made.translate();
      return;
    case 'probe':
      made.probe(step.who, step.border, step.side, step.request);
      return;
  }
}

function finished(made: ProtectionCase, start: 'reset' | 'ready'): Built {
  made.stage.finish();
  const { script, labels } = made.stage;
  return { scenario: { level: 'operations', start, operations: script.operations }, labels };
}

function build(profile: Profile, intents: ProtectionIntents): Built {
  const platform = platformOf(profile);
  const start = intents.reset ? 'reset' : 'ready';
  const made = new ProtectionCase(platform, intents.slot, start, intents.queued);
  regionNames(platform).forEach((region, n) => {
    made.discover(region);
    const [from, to] = intents.regions[n]!;
    made.program(region, from, to, false);
  });
  made.protect(true);
  for (const step of intents.steps) perform(made, step);
  return finished(made, start);
}

const SLOT: SlotIntent = { edge: 1, share: 0, indices: [3, 5, 7, 9, 11] };

/** A region between any two borders, in either order, with and without translation. */
interface Point {
  readonly region: RegionName;
  readonly from: number;
  readonly to: number;
  readonly start: 'reset' | 'ready';
}

function pointsOf(platform: Platform): readonly Point[] {
  const memory = new ArenaMemory(platform);
  const borders = bordersOf(platform, memory.frameAddress(memory.tableFrames)).map((_, n) => n);
  return regionNames(platform).flatMap((region) =>
    borders.flatMap((from) =>
      borders.flatMap((to) => (['reset', 'ready'] as const).map((start) => ({ region, from, to, start }))),
    ),
  );
}

/** Requests on both sides of every border, reading and writing, by every way to memory. */
function buildPoint(profile: Profile, { region, from, to, start }: Point): Built {
  const platform = platformOf(profile);
  const made = new ProtectionCase(platform, SLOT, start, false);
  // The other region is disabled.
  for (const other of regionNames(platform)) {
    made.discover(other);
    if (other !== region) made.program(other, made.borders.length - 1, 0, false);
  }
  made.program(region, from, to, false);
  made.protect(true);
  const ways = platform.passThrough && start === 'ready' ? 2 : 1;
  for (let border = 1; border < made.borders.length; border++) {
    for (const side of ['before', 'at', 'across'] as const) {
      for (const write of [false, true]) {
        for (let who = 0; who < ways; who++) {
          // The nearest byte alone, and sixteen of them.
          const length = (border + who) % 2 === 0 || side === 'across' ? 3 : 64;
          made.probe(who, border, side, { pick: 0, to: 'mapped', place: 'inside', length, offset: 0, write });
        }
      }
    }
  }
  return finished(made, start);
}

/** Protected memory is out of reach of devices, and nothing else is. */
export const protectedMemory: Property<ProtectionIntents> = {
  id: 'protected-memory',
  claim:
    'While PRS=1 devices reach nothing between base and limit of a region, by whatever way, silently; beside it nothing is blocked, and the unit reads its tables there.',
  clauses: ['VTD-PMR-001', 'VTD-PMR-002', 'VTD-PMR-003', 'VTD-PMR-R01', 'VTD-GCMD-015'],
  notApplicable: withoutProtection,
  sweep: (profile) => {
    const points = pointsOf(platformOf(profile));
    return { size: points.length, at: (index) => buildPoint(profile, points[index]!) };
  },
  intents: (profile) => {
    const border = fc.nat(15);
    return fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        reset: fc.boolean(),
        queued: fc.nat(3).map((n) => n === 0),
        regions: fc.array(fc.tuple(border, border), { minLength: 2, maxLength: 2 }),
        steps: fc.array(steps(platformOf(profile)), { minLength: 10, maxLength: 28, size: 'max' }),
      }),
    );
  },
  build,
  minimumShares: () => ({ read: 0.1, write: 0.1, protected: 0.1, 'made:protected': 0.3, 'made:across': 0.05 }),
};
