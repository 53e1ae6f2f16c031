/** A case of the invalidation queue in the making: the steps, resolved against what was done so far. */

import type { Profile } from '../../spec/interface/profile.js';
import { platformOf } from './capabilities.js';
import { contextDescriptor, waitDescriptor } from './descriptors.js';
import { maskEvent, programEvent } from './fault-world.js';
import { Plan } from './plan.js';
import { Queue } from './queue.js';
import { badDescriptor, type DescriptorDraw, invalidationOf, type QueueStep } from './queue-steps.js';
import { Script } from './script.js';

/** How a case of the queue begins. */
export interface QueueStart {
  /** Translation is on. */
  readonly translating: boolean;
  /** The queue has two pages for 0. */
  readonly size: number;
  /** Descriptors put in first, so that the rest lies across the end of the queue. */
  readonly fill: number;
  /** The completion event is not masked at first. */
  readonly open: boolean;
  readonly vector: number;
  /** Some waits have both status data and an event for 0, some have neither for 1. */
  readonly waits: number;
  /** Interrupts are remapped for 0, where the unit can. */
  readonly remapped: number;
}

/** Slots that stay free of descriptors that were not seen done. */
const SPARE_SLOTS = 48;

/** Most waits of which nobody can tell yet whether they are done: beyond, the lawful states are too many to follow. */
const MOST_OPEN_WAITS = 3;

/** A queue with what a case has done to it so far. */
export class QueueCase {
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

  constructor(profile: Profile, start: QueueStart) {
    const platform = platformOf(profile);
    this.#plan = new Plan(platform);
    this.#waitKinds = start.waits;
    this.script = new Script(platform);
    this.script.translating = start.translating;
    this.queue = new Queue(this.script, this.#plan.memory, start.size === 0 ? 1 : 0);
    this.#plan.memory.zeroTables(this.script);
    programEvent(this.script, 'IE', start.vector);
    if (start.open) this.#mask(false);
    this.queue.enable();
    if (start.remapped === 0 && platform.interruptRemapping) this.#remapInterrupts();
    this.#fill(start.fill);
  }

  /** By a table without any interrupt: no device sends one here. */
  #remapInterrupts(): void {
    const { memory } = this.#plan;
    this.script.latchInterruptTable(memory.frameAddress(memory.takeTable()!));
    this.script.setInterruptRemapping(true);
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
    const remapped = this.script.remappingInterrupts;
    // Interrupt remapping needs the queue.
    if (remapped) this.script.setInterruptRemapping(false);
    this.queue.disable();
    this.script.read('IQH', 8);
    this.queue.enable();
    if (remapped) this.script.setInterruptRemapping(true);
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
    if (this.script.remappingInterrupts) this.script.setInterruptRemapping(false);
    this.queue.disable();
    this.script.read('GSTS', 4);
    this.script.read('IQH', 8);
  }
}
