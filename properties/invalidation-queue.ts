import fc from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { platformOf, withoutQueue } from './generators/capabilities.js';
import { contextDescriptor, waitDescriptor } from './generators/descriptors.js';
import { maskEvent, programEvent } from './generators/fault-world.js';
import { Plan } from './generators/plan.js';
import { Queue } from './generators/queue.js';
import {
  badDescriptor,
  type DescriptorDraw,
  invalidationOf,
  type QueueStep,
  queueSteps,
} from './generators/queue-steps.js';
import { buildQueuePoint, sweptQueuePoints } from './generators/queue-sweep.js';
import { Script } from './generators/script.js';

export interface QueueIntents {
  readonly start: number;
  /** The queue has two pages for 0. */
  readonly size: number;
  /** Descriptors put in first, so that the rest lies across the end of the queue. */
  readonly fill: number;
  /** The completion event is not masked at first. */
  readonly open: boolean;
  readonly vector: number;
  /** The queue is left on for 0. */
  readonly stays: number;
  /** Some waits have both status data and an event for 0, some have neither for 1. */
  readonly waits: number;
  readonly steps: readonly QueueStep[];
}

/** Of 1000 cases, how many start from reset, with translation off. */
const FROM_RESET = 200;

/** Slots that stay free of descriptors that were not seen done. */
const SPARE_SLOTS = 48;

/** Most waits of which nobody can tell yet whether they are done: beyond, the lawful states are too many to follow. */
const MOST_OPEN_WAITS = 3;

/** A queue with what a case has done to it so far. */
class QueueCase {
  readonly script: Script;
  readonly queue: Queue;
  readonly labels: Record<string, number> = {};
  readonly #plan: Plan;
  readonly #waitKinds: number;
  #masked = true;
  /** Slot of the bad descriptor that the queue stands at, if it does. */
  #stopped: number | undefined;
  /** Slots used since everything was seen done. */
  #open = 0;
  /** Waits put in since everything came to rest. */
  #waits = 0;

  constructor(profile: Profile, intents: QueueIntents) {
    const platform = platformOf(profile);
    this.#plan = new Plan(platform);
    this.#waitKinds = intents.waits;
    this.script = new Script(platform);
    this.script.translating = intents.start >= FROM_RESET;
    this.queue = new Queue(this.script, this.#plan.memory, intents.size === 0 ? 1 : 0);
    this.#plan.memory.zeroTables(this.script);
    programEvent(this.script, 'IE', intents.vector);
    if (intents.open) this.#mask(false);
    this.queue.enable();
    this.#fill(intents.fill);
  }

  #count(label: string): void {
    this.labels[label] = (this.labels[label] ?? 0) + 1;
  }

  #mask(masked: boolean): void {
    maskEvent(this.script, 'IE', masked);
    this.#masked = masked;
  }

  /** Brings head and tail close to the end of the queue. */
  #fill(fill: number): void {
    if (fill === 0) return;
    this.queue.fill(contextDescriptor(1), this.queue.slots - 2 - fill);
    this.queue.awaitAll('status');
  }

  #put(draw: DescriptorDraw): void {
    this.#open++;
    if (draw.put === 'invalidation') {
      this.queue.put(invalidationOf(this.#plan.platform, draw));
      return;
    }
    if (this.#waits === MOST_OPEN_WAITS) {
      this.queue.put(contextDescriptor(1));
      return;
    }
    this.#waits++;
    const { fence } = draw;
    // What some units do not survive is kept to few cases.
    const status = draw.status || (!draw.event && this.#waitKinds !== 1);
    const event = draw.event && (!draw.status || this.#waitKinds === 0);
    this.#count(`queue:wait${status ? ':SW' : ''}${event ? ':IF' : ''}${fence ? ':FN' : ''}`);
    if (!status) {
      this.queue.putWait({ event, fence });
      return;
    }
    const { address, data } = this.queue.nextStatus();
    this.queue.putWait({ status: { address, data }, event, fence });
  }

  #room(count: number): boolean {
    if (this.#open + count < this.queue.slots - SPARE_SLOTS) return true;
    if (this.#stopped !== undefined) return false;
    this.#finishAll();
    return true;
  }

  /** A last wait, seen complete. */
  #finishAll(): void {
    this.queue.awaitAll('status');
    this.#open = 0;
    this.#waits = 0;
  }

  #submit({ descriptors, tail, settle }: Extract<QueueStep, { act: 'submit' }>): void {
    if (!this.#room(descriptors.length)) return;
    const before = this.queue.next;
    for (const draw of descriptors) {
      this.#put(draw);
      if (tail === 'each') this.queue.notify();
    }
    if (this.queue.next < before) this.#count('queue:wrap');
    if (tail === 'later') return;
    if (tail === 'once') this.queue.notify();
    // Mostly everything comes to rest first; else any state between is lawful.
    if (settle > 0) this.#settle();
    this.queue.look();
  }

  /** Everything that can be done is done; behind a bad descriptor nothing is. */
  #settle(): void {
    this.script.settle();
    if (this.#stopped === undefined) this.#waits = 0;
  }

  #stop({ bad, after }: Extract<QueueStep, { act: 'bad' }>): void {
    if (this.#stopped !== undefined || !this.#room(after.length + 1)) return;
    // What was put in before is done first, so that nothing is open but what follows.
    this.queue.notify();
    this.#settle();
    this.#stopped = this.queue.put(badDescriptor(this.#plan.platform, bad));
    this.#count(`queue:bad:${bad.how}`);
    for (const draw of after) this.#put(draw);
    this.queue.notify();
    this.script.settle();
    this.queue.look();
  }

  #recover(wait: boolean, nudge: boolean): void {
    if (this.#stopped === undefined) return;
    const descriptor = wait ? this.#statusWait() : contextDescriptor(1);
    this.queue.recover(this.#stopped, descriptor, nudge);
    this.#stopped = undefined;
    this.#waits = 0;
    this.queue.look();
  }

  #statusWait() {
    const { address, data } = this.queue.nextStatus();
    return waitDescriptor({ status: { address, data } });
  }

  /** A tail outside the queue, then the right one. */
  #badTail(pick: number): void {
    if (this.#stopped !== undefined) return;
    const { queue, script } = this;
    const beyond = 0x8000 - queue.slots;
    queue.notify();
    this.#settle();
    queue.notify(queue.slots + (pick % beyond));
    script.settle();
    queue.look();
    queue.notify();
    queue.clearError();
    script.settle();
    queue.look();
    this.#count('queue:bad:tail');
  }

  /** Off when everything is done, and on again. */
  #restart(): void {
    if (this.#stopped !== undefined) return;
    this.#finishAll();
    this.queue.disable();
    this.script.read('IQH', 8);
    this.queue.enable();
    this.script.read('IQT', 8);
  }

  perform(step: QueueStep): void {
    switch (step.act) {
      case 'submit':
        this.#submit(step);
        return;
      case 'bad':
        this.#stop(step);
        return;
      case 'recover':
        this.#recover(step.wait, step.nudge);
        return;
      case 'badTail':
        this.#badTail(step.slot);
        return;
      case 'acknowledge':
        this.queue.clearCompletion();
        this.script.read('IECTL', 4);
        return;
      case 'mask':
        this.#mask(step.masked);
        this.script.read('IECTL', 4);
        return;
      case 'reprogram':
        // While the event is not masked, a message could be sent half old, half new.
        if (this.#masked) programEvent(this.script, 'IE', step.pick);
        return;
      case 'restart':
        this.#restart();
        return;
      case 'look':
        this.#settle();
        this.queue.look();
        return;
    }
  }

  finish(stays: boolean): void {
    this.#recover(true, true);
    this.#finishAll();
    this.queue.look();
    this.queue.clearCompletion();
    if (stays) return;
    this.queue.disable();
    this.script.read('GSTS', 4);
    this.script.read('IQH', 8);
  }
}

function build(profile: Profile, intents: QueueIntents): Built {
  const queue = new QueueCase(profile, intents);
  for (const step of intents.steps) queue.perform(step);
  queue.finish(intents.stays === 0);
  const start = intents.start < FROM_RESET ? 'reset' : 'ready';
  return { scenario: { level: 'operations', start, operations: queue.script.operations }, labels: queue.labels };
}

/** The invalidation queue does its work in order, stops where it must and goes on where it stopped. */
export const invalidationQueue: Property<QueueIntents> = {
  id: 'invalidation-queue',
  claim:
    'The queue does exactly the descriptors between head and tail, stops at the first bad one, tells why, and goes on after recovery; waits tell completion in every combination of status data, event and fence.',
  clauses: [
    'VTD-REG-003',
    'VTD-REG-007',
    'VTD-REG-008',
    'VTD-REG-009',
    'VTD-REG-016',
    'VTD-GCMD-006',
    'VTD-GCMD-008',
    'VTD-INV-018',
    'VTD-QI-002',
    'VTD-QI-003',
    'VTD-QI-004',
    'VTD-QI-005',
    'VTD-QI-006',
    'VTD-QI-007',
    'VTD-QI-008',
    'VTD-QI-009',
    'VTD-QI-010',
    'VTD-QI-011',
    'VTD-QI-013',
    'VTD-QI-014',
    'VTD-QI-015',
    'VTD-QI-018',
    'VTD-QI-019',
    'VTD-WAIT-001',
    'VTD-WAIT-002',
    'VTD-WAIT-003',
    'VTD-WAIT-004',
    'VTD-WAIT-005',
    'VTD-WAIT-006',
    'VTD-WAIT-007',
    'VTD-WAIT-009',
    'VTD-WAIT-010',
    'VTD-FREC-019',
  ],
  notApplicable: withoutQueue,
  sweep: (profile) => {
    const points = sweptQueuePoints(platformOf(profile));
    return { size: points.size, at: (index) => buildQueuePoint(profile, points.at(index), index) };
  },
  intents: () =>
    fc.noBias(
      fc.record({
        start: fc.nat(999),
        size: fc.nat(15),
        fill: fc.oneof(
          { weight: 2, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 24 }) },
        ),
        open: fc.boolean(),
        vector: fc.nat(31),
        stays: fc.nat(31),
        waits: fc.nat(7),
        steps: fc.array(queueSteps(), { minLength: 4, maxLength: 18, size: 'max' }),
      }),
    ),
  build,
  // Nothing here is a device request.
  minimumShares: () => ({}),
};
