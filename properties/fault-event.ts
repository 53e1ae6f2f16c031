import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { type Platform, platformOf, unsuitable } from './generators/capabilities.js';
import { waitDescriptor, withType } from './generators/descriptors.js';
import { slotArbitrary } from './generators/draws.js';
import { blockedShape, maskEvent, passingShape, prepareFaults, programEvent } from './generators/fault-world.js';
import type { SlotIntent } from './generators/intents.js';
import { MOST_UNSEEN, Stage } from './generators/stage.js';

/** One thing done to the fault event, its sources or its registers. */
export type EventStep =
  | { readonly act: 'fault'; readonly who: number; readonly write: boolean }
  | { readonly act: 'pass'; readonly who: number; readonly write: boolean }
  | { readonly act: 'stopQueue'; readonly type: number }
  | { readonly act: 'repairQueue'; readonly clear: boolean }
  | { readonly act: 'clearRecord'; readonly index: number }
  | { readonly act: 'clearOverflow' }
  | { readonly act: 'clearAll' }
  | { readonly act: 'mask'; readonly masked: boolean }
  | { readonly act: 'reprogram'; readonly pick: number }
  | { readonly act: 'restart' }
  | { readonly act: 'status' };

export interface EventIntents {
  readonly slot: SlotIntent;
  readonly start: number;
  /** The first masked state: as after reset, or not masked. */
  readonly open: boolean;
  readonly vector: number;
  /** Interrupts are remapped for 0, where the unit can. */
  readonly remapped: number;
  readonly steps: readonly EventStep[];
}

/** Of 1000 cases, how many start from reset. */
const FROM_RESET = 30;

/** Type codes that no descriptor has in a queue of 128-bit descriptors. */
const BAD_TYPES = [0x0, 0xb, 0xc, 0xf, 0x10] as const;

/** Most bad descriptors in one case. */
const MOST_STOPS = 8;

function steps(platform: Platform): Arbitrary<EventStep> {
  const who = fc.nat(Math.max(0, platform.requesters.length - 1));
  const write = fc.boolean();
  const queue = platform.queue ? 1 : 0;
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('fault'), who, write }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('pass'), who, write }) },
    { weight: 3 * queue, arbitrary: fc.record({ act: fc.constant('stopQueue'), type: fc.nat(BAD_TYPES.length - 1) }) },
    { weight: 3 * queue, arbitrary: fc.record({ act: fc.constant('repairQueue'), clear: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('clearRecord'), index: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('clearOverflow') }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('clearAll') }) },
    { weight: 6, arbitrary: fc.record({ act: fc.constant('mask'), masked: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('reprogram'), pick: fc.nat(31) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('restart') }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('status') }) },
  );
}

/** A case in the making. */
class EventCase {
  readonly stage: Stage;
  readonly #faultRecords: number;
  #masked = true;
  #unseen = 0;
  #pages = 0;
  #stops = 0;
  /** Slot of the descriptor that stopped the queue, if one did. */
  #stopped: number | undefined;

  constructor(stage: Stage) {
    this.stage = stage;
    this.#faultRecords = Math.min(8, stage.plan.platform.faultRecords);
  }

  status(): void {
    this.stage.script.read('FSTS', 4);
    this.stage.script.read('FECTL', 4);
  }

  #clearRecords(): void {
    for (let index = 0; index < this.#faultRecords; index++) this.stage.script.clearRecord(BigInt(index));
    this.#unseen = 0;
  }

  /** Makes the queue stop at a descriptor that is none. */
  #stop(type: number): void {
    const { queue, script } = this.stage;
    if (queue === undefined || this.#stopped !== undefined || this.#stops === MOST_STOPS) return;
    this.#stops++;
    if (!script.queueEnabled) queue.enable();
    this.#stopped = queue.put(withType([0n, 0n], BAD_TYPES[type]!));
    queue.notify();
    script.settle();
  }

  /** Puts a wait where the queue stopped; the queue goes on when IQE is cleared. */
  #repair(clear: boolean): void {
    const { queue, plan, script } = this.stage;
    if (queue === undefined || this.#stopped === undefined) return;
    queue.overwrite(this.#stopped, waitDescriptor({ event: true }));
    plan.memory.commit(script);
    if (!clear) return;
    queue.clearError();
    queue.notify();
    script.settle();
    queue.clearCompletion();
    queue.endsInWait = true;
    this.#stopped = undefined;
  }

  /** Translation off and on again. */
  #restart(): void {
    // A queue that stands still flushes nothing.
    if (this.#stopped !== undefined) return;
    const { plan, script } = this.stage;
    script.setTranslation(false);
    this.stage.latchRoot(plan.rootAddress);
    script.setTranslation(true);
  }

  perform(step: EventStep): void {
    const { plan, script } = this.stage;
    switch (step.act) {
      case 'fault': {
        const seat = plan.seat(step.who);
        this.stage.sendQuietly(seat, blockedShape(this.stage, this.#pages++, step.write));
        this.#unseen++;
        if (this.#faultRecords > 1 && this.#unseen >= MOST_UNSEEN) {
          script.collect({ all: true });
          this.#unseen = 0;
        }
        return;
      }
      case 'pass':
        this.stage.sendQuietly(plan.seat(step.who), passingShape(this.stage, step.write));
        return;
      case 'stopQueue':
        this.#stop(step.type);
        return;
      case 'repairQueue':
        this.#repair(step.clear);
        return;
      case 'clearRecord':
        script.clearRecord(BigInt(step.index % this.#faultRecords));
        return;
      case 'clearOverflow':
        script.clearOverflow();
        return;
      case 'clearAll':
        this.#clearRecords();
        script.clearOverflow();
        this.#repair(true);
        return;
      case 'mask':
        maskEvent(script, 'FE', step.masked);
        this.#masked = step.masked;
        return;
      case 'reprogram':
        // While the event is not masked, a message could be sent half old, half new.
        if (this.#masked) programEvent(script, 'FE', step.pick);
        return;
      case 'restart':
        this.#restart();
        return;
      case 'status':
        this.status();
        return;
    }
  }

  finish(): void {
    this.status();
    this.#clearRecords();
    this.stage.script.clearOverflow();
    this.#repair(true);
    this.status();
    this.stage.finish();
  }
}

function build(profile: Profile, intents: EventIntents): Built {
  const platform = platformOf(profile);
  const stage = new Stage(platform, [intents.slot], 0, platform.queue ? 'off' : undefined);
  const reset = intents.start < FROM_RESET;
  prepareFaults(stage, { reset });
  programEvent(stage.script, 'FE', intents.vector);
  const events = new EventCase(stage);
  if (intents.remapped === 0 && stage.queue !== undefined && platform.interruptRemapping) {
    stage.queue.enable();
    stage.remapInterrupts();
  }
  if (intents.open) events.perform({ act: 'mask', masked: false });
  for (const step of intents.steps) {
    events.perform(step);
    if (step.act !== 'status' && step.act !== 'pass') events.status();
  }
  events.finish();
  return {
    scenario: { level: 'operations', start: reset ? 'reset' : 'ready', operations: stage.script.operations },
    labels: stage.labels,
  };
}

/** The fault event is sent when it is due, and only then. */
export const faultEvent: Property<EventIntents> = {
  id: 'fault-event',
  claim:
    'A fault event message is sent exactly when it is due, masked, unmasked or withdrawn, for faults and for errors of the invalidation queue.',
  clauses: [
    'VTD-REG-003',
    'VTD-REG-004',
    'VTD-REG-008',
    'VTD-FREC-005',
    'VTD-FREC-012',
    'VTD-FREC-013',
    'VTD-FREC-014',
    'VTD-FREC-015',
    'VTD-FREC-016',
    'VTD-FREC-017',
    'VTD-FREC-019',
  ],
  notApplicable: unsuitable,
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        start: fc.nat(999),
        open: fc.boolean(),
        vector: fc.nat(31),
        remapped: fc.nat(2),
        steps: fc.array(steps(platformOf(profile)), { minLength: 6, maxLength: 24, size: 'max' }),
      }),
    ),
  build,
  minimumShares: () => ({ read: 0.05, write: 0.05 }),
};
