/** What happens to two VMs, before it is resolved against who has what. */

import fc, { type Arbitrary } from 'fast-check';

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
}

/** What goes on goes on for so many choices; then something else is let in, by its position among what can go on. */
export interface Switch {
  readonly after: number;
  readonly choice: number;
}

/** A case: events, and who goes on whenever several can. */
export interface VmCase {
  readonly intents: readonly VmIntent[];
  readonly schedule: readonly Switch[];
}

export type VmWeights = Readonly<Partial<Record<VmKind, number>>>;

/** Most events of a case. */
const MOST_INTENTS = 24;

/** Most switches of a case; after them one thing is finished before the next begins. */
const MOST_SWITCHES = 24;

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
  });
  // The first choice after what goes on is mostly what stands next in the scenario.
  const choice = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 7 }) },
  );
  // Soon, in the middle of something; or late, when it may just be finished.
  const after = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(14) });
  const step: Arbitrary<Switch> = fc.record({ after, choice });
  return fc.record({
    intents: fc.array(intent, { minLength: 1, maxLength: MOST_INTENTS, size: 'max' }),
    schedule: fc.array(step, { maxLength: MOST_SWITCHES, size: 'max' }),
  });
}
