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

/** A case: events, and who goes on whenever several can. */
export interface VmCase {
  readonly intents: readonly VmIntent[];
  readonly schedule: readonly number[];
}

export type VmWeights = Readonly<Partial<Record<VmKind, number>>>;

/** Most events of a case. */
const MOST_INTENTS = 24;

/** Most choices of a case; after them one thing is finished before the next begins. */
const MOST_CHOICES = 90;

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
  // Mostly whatever goes on goes on: with a switch at every step hardly anything would be finished.
  const choice = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(6) });
  return fc.record({
    intents: fc.array(intent, { minLength: 1, maxLength: MOST_INTENTS, size: 'max' }),
    schedule: fc.array(choice, { maxLength: MOST_CHOICES, size: 'max' }),
  });
}
