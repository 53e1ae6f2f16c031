/** What happens to two VMs, before it is resolved against who has what. */

import fc, { type Arbitrary } from 'fast-check';
import type { Stimulus } from '../../spec/interface/scenario.js';

/** Kinds of events, and which actor's they are: owner, guest, vCPU, device. */
export const VM_KINDS = [
  'map',
  'unmap',
  'remap',
  'attach',
  'detach',
  'route',
  'mask',
  'accept',
  'eoi',
  'tpr',
  'read',
  'write',
  'signal',
  // Things that are only interesting close together: a function that changes hands, and events around a change of their route.
  'handover',
  'storm',
] as const;
export type VmKind = (typeof VM_KINDS)[number];

/** One event. Every number is taken modulo what there is. */
export interface VmIntent {
  readonly kind: VmKind;
  readonly vm: number;
  readonly page: number;
  readonly function: number;
  readonly vcpu: number;
  readonly vector: number;
  /** 0: anything, also what is refused or blocked; otherwise what can be done. */
  readonly aim: number;
  /** When its stimuli begin, in turns. */
  readonly begins: readonly Stimulus['begins'][];
}

/** The task that began last goes on for so many choices; then another one does, by its position. */
export interface Switch {
  readonly after: number;
  readonly choice: number;
}

/** A case: events, and which task goes on whenever several can. */
export interface VmCase {
  readonly intents: readonly VmIntent[];
  readonly schedule: readonly Switch[];
}

export type VmWeights = Readonly<Partial<Record<VmKind, number>>>;

/** Most events of a case. */
const MOST_INTENTS = 24;

/** Most switches of a case; after them the task that began last goes on. */
const MOST_SWITCHES = 24;

/** Moments of one event that differ, at most. */
const MOST_BEGINS = 5;

/** At rest; soon, in the middle of the few steps that an interrupt takes; later, in the middle of a change; or right after one. */
const BEGINS: Arbitrary<Stimulus['begins']> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.nat(3) },
  { weight: 5, arbitrary: fc.nat(11) },
  { weight: 1, arbitrary: fc.nat(24) },
  { weight: 2, arbitrary: fc.constant('answered' as const) },
);

/** Cases with these kinds of events, the more of a kind the higher its weight. */
export function vmCases(weights: VmWeights): Arbitrary<VmCase> {
  const kinds = VM_KINDS.flatMap((kind) => Array.from({ length: weights[kind] ?? 0 }, () => kind));
  const intent: Arbitrary<VmIntent> = fc.record({
    kind: fc.constantFrom(...kinds),
    vm: fc.nat(1),
    page: fc.nat(5),
    function: fc.nat(3),
    vcpu: fc.nat(1),
    vector: fc.nat(5),
    aim: fc.nat(7),
    begins: fc.array(BEGINS, { minLength: 1, maxLength: MOST_BEGINS, size: 'max' }),
  });
  const step: Arbitrary<Switch> = fc.record({ after: fc.nat(6), choice: fc.integer({ min: 1, max: 3 }) });
  return fc.record({
    intents: fc.array(intent, { minLength: 1, maxLength: MOST_INTENTS, size: 'max' }),
    schedule: fc.array(step, { maxLength: MOST_SWITCHES, size: 'max' }),
  });
}
