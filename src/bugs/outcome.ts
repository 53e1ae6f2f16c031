import type { Defect } from './defect.js';

/** What found a defect. */
export interface Found {
  readonly property: string;
  /** Random or swept, and which of them. */
  readonly origin: string;
  readonly clause: string;
  readonly kind: string;
  readonly discriminator: string;
  readonly expected: string;
  readonly observed: string;
  /** Operations of the case. */
  readonly operations: number;
}

/** One seed on one planted defect. */
export interface Outcome {
  readonly defect: string;
  readonly seed: number;
  readonly shape: string;
  /** Cases run, over all properties together, and the seconds they took. */
  readonly cases: number;
  readonly seconds: number;
  /** Cases before that with no more than a suspicion, or that a fresh target did not confirm. */
  readonly aside: number;
  readonly found?: Found;
  /** Why the run ended early without a finding. */
  readonly trouble?: string;
}

/** The shortest of the cases that found a defect, made smaller. */
export interface Shrunk {
  readonly seed: number;
  /** Operations before and after. */
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
}

/** What a process that runs seeds is asked for. */
export interface HuntRequest {
  readonly root: string;
  readonly defect: Defect;
  readonly seeds: readonly number[];
  /** Most cases of each seed. */
  readonly cases: number;
  /** Seconds of shrinking. */
  readonly shrinkSeconds: number;
}

/** What such a process tells. */
export type HuntMessage =
  | { readonly kind: 'progress'; readonly seed: number; readonly cases: number }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'shrunk'; readonly shrunk: Shrunk }
  | { readonly kind: 'failed'; readonly message: string };
