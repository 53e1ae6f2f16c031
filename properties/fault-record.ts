import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import { FSTS_FIELDS } from '../spec/layout/vtd.js';
import type { Built, Property } from '../src/harness/property.js';
import { type Platform, platformOf, unsuitable } from './generators/capabilities.js';
import { slotArbitrary } from './generators/draws.js';
import { blockedShape, passingShape, prepareFaults } from './generators/fault-world.js';
import type { SlotIntent } from './generators/intents.js';
import { MOST_UNSEEN, Stage } from './generators/stage.js';

/** One thing done to the fault registers, or a request that fills them. */
export type RecordStep =
  | { readonly act: 'fault'; readonly who: number; readonly write: boolean; readonly page: number }
  | { readonly act: 'pass'; readonly who: number; readonly write: boolean }
  | { readonly act: 'status' }
  | { readonly act: 'read'; readonly index: number; readonly shown: boolean }
  | { readonly act: 'clear'; readonly index: number; readonly shown: boolean; readonly wide: boolean }
  | { readonly act: 'clearOverflow' }
  | { readonly act: 'writeZeros'; readonly index: number }
  | { readonly act: 'writeGarbage'; readonly index: number; readonly value: number };

export interface RecordIntents {
  readonly slot: SlotIntent;
  readonly start: number;
  readonly quiet: number;
  readonly steps: readonly RecordStep[];
}

/** Of 1000 cases, how many start from reset, where the first record's number is known. */
const FROM_RESET = 30;

const F_HIGH_DWORD = 0x8000_0000n;
const F_HIGH_HALF = 1n << 63n;
const OVERFLOW = 1n << BigInt(FSTS_FIELDS.PFO[1]);

function steps(platform: Platform): Arbitrary<RecordStep> {
  const who = fc.nat(Math.max(0, platform.requesters.length - 1));
  const index = fc.nat(Math.min(platform.faultRecords, 256) - 1);
  const write = fc.boolean();
  const shown = fc.boolean();
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ act: fc.constant('fault'), who, write, page: fc.nat(255) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('pass'), who, write }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('status') }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('read'), index, shown }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('clear'), index, shown, wide: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('clearOverflow') }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('writeZeros'), index }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('writeGarbage'), index, value: fc.nat(0xffff) }) },
  );
}

/** The record to touch: the one that FRI shows, or a fixed one. */
function recordOf(
  stage: Stage,
  step: { readonly index: number; readonly shown: boolean },
): bigint | { ref: number; field: [number, number] } {
  const { faultRecords } = stage.plan.platform;
  if (!step.shown || faultRecords === 1) return BigInt(step.index % faultRecords);
  const [high, low] = FSTS_FIELDS.FRI;
  return { ref: stage.script.read('FSTS', 4), field: [high, low] };
}

function perform(stage: Stage, step: RecordStep): void {
  const { plan, script } = stage;
  switch (step.act) {
    case 'fault':
      stage.sendQuietly(plan.seat(step.who), blockedShape(stage, step.page, step.write));
      return;
    case 'pass':
      stage.sendQuietly(plan.seat(step.who), passingShape(stage, step.write));
      return;
    case 'status':
      script.read('FSTS', 4);
      return;
    case 'read': {
      const index = recordOf(stage, step);
      script.read('FRCD', 8, { index, offset: 0 });
      script.read('FRCD', 8, { index, offset: 8 });
      return;
    }
    case 'clear': {
      const index = recordOf(stage, step);
      if (step.wide) script.write('FRCD', 8, F_HIGH_HALF, { index, offset: 8 });
      else script.write('FRCD', 4, F_HIGH_DWORD, { index, offset: 12 });
      return;
    }
    case 'clearOverflow':
      script.write('FSTS', 4, OVERFLOW);
      return;
    case 'writeZeros':
      script.write('FSTS', 4, 0n);
      script.write('FRCD', 4, 0n, { index: BigInt(step.index), offset: 12 });
      return;
    case 'writeGarbage':
      script.write('FRCD', 8, BigInt(step.value) << 12n, { index: BigInt(step.index), offset: 0 });
      return;
  }
}

/** Reads every record and clears none, so that they go on filling up. */
function look({ plan, script }: Stage): void {
  script.read('FSTS', 4);
  for (let index = 0n; index < BigInt(plan.platform.faultRecords); index++) {
    script.read('FRCD', 8, { index, offset: 0 });
    script.read('FRCD', 8, { index, offset: 8 });
  }
}

function build(profile: Profile, intents: RecordIntents): Built {
  const stage = new Stage(platformOf(profile), [intents.slot], 0);
  const reset = intents.start < FROM_RESET;
  prepareFaults(stage, { reset, quiet: intents.quiet });
  const several = stage.plan.platform.faultRecords > 1;
  let unseen = 0;
  for (const step of intents.steps) {
    perform(stage, step);
    if (step.act === 'fault') unseen++;
    if (several && unseen === MOST_UNSEEN) {
      look(stage);
      unseen = 0;
    }
  }
  stage.finish();
  return {
    scenario: { level: 'operations', start: reset ? 'reset' : 'ready', operations: stage.script.operations },
    labels: stage.labels,
  };
}

/** Fault records are written, kept and cleared as the specification says. */
export const faultRecord: Property<RecordIntents> = {
  id: 'fault-record',
  claim: 'Fault records, FRI, PPF, F and PFO follow the faults and the clears, in every order of the two.',
  clauses: [
    'VTD-REG-008',
    'VTD-REG-011',
    'VTD-FREC-001',
    'VTD-FREC-002',
    'VTD-FREC-004',
    'VTD-FREC-005',
    'VTD-FREC-006',
    'VTD-FREC-007',
    'VTD-FREC-008',
    'VTD-FREC-009',
    'VTD-FREC-010',
    'VTD-FREC-011',
    'VTD-FLT-003',
  ],
  notApplicable: unsuitable,
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        start: fc.nat(999),
        quiet: fc.nat(15),
        steps: fc.array(steps(platformOf(profile)), { minLength: 8, maxLength: 30, size: 'max' }),
      }),
    ),
  build,
  minimumShares: () => ({ read: 0.05, write: 0.05 }),
};
