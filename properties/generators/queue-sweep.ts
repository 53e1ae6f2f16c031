/** Scenarios of the queue's sweep: a point in the middle of what is good, then recovery. */

import type { Profile } from '../../spec/interface/profile.js';
import { IQA_FIELDS, TABLE_MODE } from '../../spec/layout/vtd.js';
import { DESCRIPTOR_BYTES } from '../../spec/layout/vtd-queue.js';
import type { Built } from '../../src/harness/property.js';
import { type Platform, platformOf } from './capabilities.js';
import {
  contextDescriptor,
  type Descriptor,
  halves,
  iotlbDescriptor,
  waitDescriptor,
  withType,
} from './descriptors.js';
import { maskEvent, programEvent } from './fault-world.js';
import type { Plan } from './plan.js';
import type { Queue } from './queue.js';
import { furnish, type QueuePoint } from './queue-points.js';
import type { Script } from './script.js';

function statusWait(queue: Queue, fence = false): void {
  const { address, data } = queue.nextStatus();
  queue.putWait({ status: { address, data }, fence });
}

/** Good descriptors, the one in question, good descriptors; then a wait in its place, and everything runs. */
function aroundDescriptor(queue: Queue, script: Script, descriptor: Descriptor, index: number): void {
  queue.enable();
  statusWait(queue);
  queue.put(iotlbDescriptor(1));
  if (index % 3 === 1) queue.notify();
  const slot = queue.put(descriptor);
  statusWait(queue, true);
  if (index % 3 === 2) queue.notify();
  queue.put(contextDescriptor(1));
  // Status data and event together are swept as flags of a wait.
  if (index % 2 === 0) statusWait(queue);
  else queue.putWait({ event: true });
  queue.notify();
  script.settle();
  queue.look();
  script.load(queue.statusAddress, 4096);
  const { address, data } = queue.nextStatus();
  queue.recover(slot, waitDescriptor({ status: { address, data } }), index % 4 < 2);
  queue.look();
  queue.clearCompletion();
  script.setQueue(false);
  script.read('IQH', 8);
}

function atTail(queue: Queue, script: Script, slot: number): void {
  queue.enable();
  statusWait(queue);
  const good = queue.next;
  queue.notify(slot);
  script.settle();
  queue.look();
  queue.notify(good);
  queue.clearError();
  script.settle();
  queue.look();
  script.setQueue(false);
}

/** Descriptors of 256 bits: two slots each. Where they are not lawful the queue cannot be mended, and stays on. */
function wideQueue(platform: Platform, queue: Queue, script: Script, point: Extract<QueuePoint, { kind: 'wide' }>) {
  const padding = halves(point.padding);
  queue.program(1n << BigInt(IQA_FIELDS.DW[1]));
  script.setQueue(true);
  statusWait(queue);
  queue.put([0n, 0n]);
  statusWait(queue);
  const slot = queue.put(padding) - 1;
  const good = queue.next;
  queue.notify(good + (point.misaligned ? 1 : 0));
  script.settle();
  queue.look();
  if (!platform.scalable && !platform.abortMode) return;
  if (point.misaligned) {
    queue.notify(good);
    queue.clearError();
    script.settle();
  } else {
    queue.overwrite(slot + 1, [0n, 0n]);
    queue.recover(slot, waitDescriptor({ event: true }));
  }
  queue.look();
  queue.clearCompletion();
  script.setQueue(false);
}

/** VTD-WAIT-009: where the event shows, the status data is there; nothing is settled in between. */
function eventQueue(queue: Queue, script: Script, masked: boolean): void {
  programEvent(script, 'IE', 5);
  if (!masked) maskEvent(script, 'IE', false);
  queue.enable();
  const { address, data } = queue.nextStatus();
  queue.putWait({ status: { address, data }, event: true });
  queue.notify();
  script.poll('ICS', 4, 1n, 1n);
  script.load(address & ~7n, 8);
  queue.look();
  queue.clearCompletion();
  script.setQueue(false);
}

function unreadableQueue(queue: Queue, script: Script, address: bigint): void {
  queue.program(0n, address);
  script.setQueue(true);
  queue.notify(DESCRIPTOR_BYTES[1] / DESCRIPTOR_BYTES[0]);
  script.settle();
  queue.look();
}

/** The latched root has a mode that is not valid; then one that is. Translation is off. */
function modeQueue(plan: Plan, queue: Queue, script: Script, mode: number): void {
  script.latchRoot(plan.rootAddress, mode);
  queue.enable();
  statusWait(queue);
  queue.notify();
  script.settle();
  queue.look();
  script.latchRoot(plan.rootAddress, TABLE_MODE.legacy);
  queue.clearError();
  script.settle();
  queue.look();
  script.setQueue(false);
}

/** Low halves of lawful descriptors by type: PASID-selective, and every PASID cache. */
const LAWFUL_WIDE: Readonly<Record<number, bigint>> = { 6: 0x20n, 7: 0x30n };

/** In abort-DMA mode descriptors have 256 bits, and all types exist that the capabilities give. Translation is off. */
function abortQueue(plan: Plan, queue: Queue, script: Script, type: number): void {
  const wait = (): void => {
    statusWait(queue);
    queue.put([0n, 0n]);
  };
  script.latchRoot(plan.rootAddress, TABLE_MODE.abort);
  queue.program(1n << BigInt(IQA_FIELDS.DW[1]));
  script.setQueue(true);
  wait();
  const slot = queue.put(withType([LAWFUL_WIDE[type] ?? 0n, 0n], type));
  queue.put([0n, 0n]);
  wait();
  queue.notify();
  script.settle();
  queue.look();
  if (LAWFUL_WIDE[type] !== undefined) return;
  queue.recover(slot, waitDescriptor({ event: true }));
  queue.look();
  queue.clearCompletion();
  script.setQueue(false);
}

/** The scenario of a point. */
export function buildQueuePoint(profile: Profile, point: QueuePoint, index: number): Built {
  const platform = platformOf(profile);
  const { plan, script, queue } = furnish(platform, point.kind === 'tail' ? point.size : 0);
  const start = point.kind === 'mode' || point.kind === 'abort' || index % 8 === 5 ? 'reset' : 'ready';
  script.translating = start === 'ready';
  switch (point.kind) {
    case 'descriptor':
      aroundDescriptor(queue, script, point.descriptor, index);
      break;
    case 'tail':
      atTail(queue, script, point.slot);
      break;
    case 'wide':
      wideQueue(platform, queue, script, point);
      break;
    case 'unreadable':
      unreadableQueue(queue, script, platform.hole ?? 0n);
      break;
    case 'event':
      eventQueue(queue, script, point.masked);
      break;
    case 'mode':
      modeQueue(plan, queue, script, point.mode);
      break;
    case 'abort':
      abortQueue(plan, queue, script, point.type);
      break;
  }
  return { scenario: { level: 'operations', start, operations: script.operations }, labels: {} };
}
