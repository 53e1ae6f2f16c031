import type { Profile } from '../interface/profile.js';
import type { Answer, Stimulus } from '../interface/scenario.js';
import type { Broken, Verdict } from '../interface/software.js';

/** What a guest-physical page may be mapped to: host-physical frames; `undefined` stands for "not mapped". */
export type PageChoices = readonly (bigint | undefined)[];

/** Who may have a function: VMs by name; `undefined` stands for "the host". */
export type HolderChoices = readonly (string | undefined)[];

/** A stimulus that was asked and not answered yet. */
export interface Open {
  readonly id: number;
  readonly stimulus: Stimulus;
  /** What will be answered. */
  readonly answer: Answer | undefined;
  /** What it asks for could be done at some instant, and at every instant, since it was asked. */
  readonly everPossible: boolean;
  readonly alwaysPossible: boolean;
}

/** Where a function's interrupt goes. */
export interface Route {
  readonly vcpu: string;
  readonly vector: number;
  readonly masked: boolean;
}

/** What may have become of the events so far: one choice of which changes took effect, and which events arrived. */
export interface DeliveryWorld {
  /** By function; absent: its interrupt goes nowhere. */
  readonly routes: Readonly<Record<string, Route>>;
  /** By function: messages sent and not yet taken to a vCPU. */
  readonly underWay: Readonly<Record<string, number>>;
  /** Functions with an event that is kept until they are unmasked. */
  readonly kept: readonly string[];
  /** By vCPU: the vectors requested of it. */
  readonly requested: Readonly<Record<string, readonly number[]>>;
  /** Changes of routes, by the id of their stimulus, that have not taken effect yet. */
  readonly outstanding: readonly number[];
}

/** What the guest knows of its vCPU: vectors in service, TPR, and what let interrupts in last. */
export interface VcpuState {
  readonly inService: readonly number[];
  readonly taskPriority: number;
  /** Something since the last dispatch that lets a held interrupt in: EOI, TPR, unmask. */
  readonly opened: boolean;
}

/** All that the specification of the hypervisor remembers. */
export interface HypervisorState {
  readonly profile: Profile;
  /** By VM and page, as "vm0/3"; absent: not mapped. */
  readonly pages: Readonly<Record<string, PageChoices>>;
  /** By function; absent: the host. */
  readonly holders: Readonly<Record<string, HolderChoices>>;
  readonly open: readonly Open[];
  /** Who may have had a function when it wrote a token: by "function/token". */
  readonly writers: Readonly<Record<string, HolderChoices>>;
  readonly vcpus: Readonly<Record<string, VcpuState>>;
  /** Every "vcpu/vector" that a route ever named. */
  readonly everRouted: readonly string[];
  readonly worlds: readonly DeliveryWorld[];
  /** Why nothing is said of delivery any more. */
  readonly lostCount: string | undefined;
}

/** The verdict of a step that changes the state alone. */
export function onward(next: HypervisorState, ...clauses: readonly string[]): Verdict<HypervisorState> {
  return { next, clauses };
}

/** The verdict of a step that breaks a promise. */
export function breaking(
  next: HypervisorState,
  clause: string,
  discriminator: string,
  expected: string,
  observed: string,
): Verdict<HypervisorState> {
  const broken: Broken = { identity: { clause, kind: 'promise-broken', discriminator }, expected, observed };
  return { next, clauses: [clause], broken };
}

/** The VM that an actor belongs to: "vm0" of "vm0.guest". */
export function vmOf(actor: string): string {
  return actor.split('.')[0]!;
}

/** A numeric argument. */
export function numberOf({ arguments: given }: Stimulus, name: string): number {
  return Number(given[name]);
}

/** The function that a stimulus is about. */
export function functionOf({ arguments: given }: Stimulus): string {
  return String(given['function']);
}

/** Whether an answer says that nothing was done. */
export function isRefusal(answer: Answer | undefined): boolean {
  return answer !== undefined && 'refused' in answer;
}

/** Choices with one more. */
export function including<T>(choices: readonly T[], more: T): readonly T[] {
  return choices.includes(more) ? choices : [...choices, more];
}
