import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { slotArbitrary } from './generators/draws.js';
import { type BlockedRequest, reportingFault } from './generators/fault-claim.js';
import { blockedShape, passingShape, prepareFaults } from './generators/fault-world.js';
import type { SlotIntent } from './generators/intents.js';
import { Stage } from './generators/stage.js';

/** Some blocked requests, then everything is read and cleared. */
export interface RoundIntent {
  readonly faults: readonly { readonly who: number; readonly write: boolean; readonly passes: boolean }[];
  /** Clear from the last record down; from which record on. */
  readonly down: boolean;
  readonly first: number;
  /** When FSTS.PFO is cleared: before the records, in their middle, after them, not at all. */
  readonly overflow: 'before' | 'between' | 'after' | 'never';
  /** Clear F by a 64-bit write. */
  readonly wide: boolean;
  /** Leave this record as it is, if there are several. */
  readonly keep: number;
}

export interface LogIntents {
  readonly slot: SlotIntent;
  readonly start: number;
  readonly rounds: readonly RoundIntent[];
}

/** Of 1000 cases, how many start from reset. */
const FROM_RESET = 30;

/** Most records read and cleared one by one. */
const MOST_RECORDS = 8;

/** Only records up to this number may be left pending. */
const KEEP_CHOICES = 40;

const F_HIGH_DWORD = 0x8000_0000n;
const F_HIGH_HALF = 1n << 63n;

function rounds(requesters: number): Arbitrary<RoundIntent> {
  const fault = fc.record({
    who: fc.nat(Math.max(0, requesters - 1)),
    write: fc.boolean(),
    passes: fc.nat(9).map((n) => n === 0),
  });
  return fc.record({
    faults: fc.array(fault, { minLength: 1, maxLength: 10, size: 'max' }),
    down: fc.boolean(),
    first: fc.nat(MOST_RECORDS - 1),
    overflow: fc.constantFrom('before', 'between', 'after', 'after', 'never'),
    wide: fc.boolean(),
    keep: fc.nat(KEEP_CHOICES),
  });
}

/** Records in the order in which a round clears them. */
function clearOrder(records: number, { down, first }: RoundIntent): readonly number[] {
  const order = Array.from({ length: records }, (_, n) => (n + first) % records);
  return down ? order.reverse() : order;
}

function clearRound(stage: Stage, round: RoundIntent, records: number): void {
  const { script } = stage;
  if (round.overflow === 'before') script.clearOverflow();
  clearOrder(records, round).forEach((record, n) => {
    if (round.overflow === 'between' && n === records >> 1) script.clearOverflow();
    if (records > 1 && record === round.keep) return;
    const index = BigInt(record);
    if (round.wide) script.write('FRCD', 8, F_HIGH_HALF, { index, offset: 8 });
    else script.write('FRCD', 4, F_HIGH_DWORD, { index, offset: 12 });
  });
  if (round.overflow === 'after') script.clearOverflow();
}

function build(profile: Profile, intents: LogIntents): Built {
  const platform = platformOf(profile);
  const stage = new Stage(platform, [intents.slot], 0);
  const { plan, script } = stage;
  const reset = intents.start < FROM_RESET;
  prepareFaults(stage, { reset });
  const records = Math.min(MOST_RECORDS, platform.faultRecords);
  const blocked: BlockedRequest[] = [];
  for (const round of intents.rounds) {
    script.read('FSTS', 4);
    for (const { who, write, passes } of round.faults) {
      const shape = passes ? passingShape(stage, write) : blockedShape(stage, blocked.length, write);
      const seat = plan.seat(who);
      const at = stage.sendQuietly(seat, shape);
      if (passes || at === undefined) continue;
      // Kept as text: the expectation is stored with a case.
      blocked.push({ at, source: seat.requester.routingId, page: (shape.address >> 12n).toString(16) });
    }
    script.read('FSTS', 4);
    for (let record = 0; record < records; record++) {
      for (const offset of [0, 8]) script.read('FRCD', 8, { index: BigInt(record), offset });
    }
    clearRound(stage, round, records);
  }
  script.read('FSTS', 4);
  stage.finish();
  return {
    scenario: { level: 'operations', start: reset ? 'reset' : 'ready', operations: script.operations },
    labels: stage.labels,
    expectation: blocked,
  };
}

/** Blocked requests are reported once each, as far as there is room, and overflow is told. */
export const faultLog: Property<LogIntents> = {
  id: 'fault-log',
  claim:
    'No blocked request goes unreported while a record is free, none is reported twice, and overflow is told; in whatever order records are cleared.',
  clauses: [
    'VTD-FLT-003',
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
    'VTD-REG-008',
    'VTD-REG-011',
  ],
  notApplicable: unsuitable,
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        start: fc.nat(999),
        rounds: fc.array(rounds(profile.requesters.length), { minLength: 1, maxLength: 4, size: 'max' }),
      }),
    ),
  build,
  violated: (history, built) => reportingFault(history, built.expectation as readonly BlockedRequest[]),
  minimumShares: () => ({ read: 0.05, write: 0.05 }),
};
