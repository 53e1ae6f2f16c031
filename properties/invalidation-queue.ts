import fc from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { platformOf, withoutQueue } from './generators/capabilities.js';
import { QueueCase, type QueueStart } from './generators/queue-case.js';
import { sweptQueuePoints } from './generators/queue-points.js';
import { type QueueStep, queueSteps } from './generators/queue-steps.js';
import { buildQueuePoint } from './generators/queue-sweep.js';

export interface QueueIntents extends Omit<QueueStart, 'translating'> {
  readonly start: number;
  /** The queue is left on for 0. */
  readonly stays: number;
  readonly steps: readonly QueueStep[];
}

/** Of 1000 cases, how many start from reset, with translation off. */
const FROM_RESET = 200;

function build(profile: Profile, intents: QueueIntents): Built {
  const queue = new QueueCase(profile, { ...intents, translating: intents.start >= FROM_RESET });
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
    'VTD-REG-R02',
    'VTD-GCMD-004',
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
    'VTD-QI-R01',
    'VTD-QI-R02',
    'VTD-QI-R03',
    'VTD-WAIT-001',
    'VTD-WAIT-002',
    'VTD-WAIT-003',
    'VTD-WAIT-004',
    'VTD-WAIT-005',
    'VTD-WAIT-006',
    'VTD-WAIT-007',
    'VTD-WAIT-008',
    'VTD-WAIT-009',
    'VTD-WAIT-010',
    'VTD-FREC-019',
  ],
  notApplicable: withoutQueue,
  sweep: (profile) => {
    const points = sweptQueuePoints(platformOf(profile));
    return {
      size: points.size,
      first: points.first,
      at: (index) => buildQueuePoint(profile, points.at(index), index),
    };
  },
  intents: () =>
    fc.noBias(
      fc.record({
        start: fc.nat(999),
        size: fc.nat(5),
        fill: fc.oneof(
          { weight: 2, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 24 }) },
        ),
        open: fc.boolean(),
        vector: fc.nat(31),
        stays: fc.nat(31),
        waits: fc.nat(7),
        remapped: fc.nat(3),
        steps: fc.array(queueSteps(), { minLength: 4, maxLength: 18, size: 'max' }),
      }),
    ),
  build,
  // Nothing here is a device request.
  minimumShares: () => ({}),
};
