import type { Clause } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Target } from '../../spec/interface/target.js';
import type { ComponentCheck } from '../formats/index.js';
import type { Drive, Judge, Property } from '../harness/index.js';

/** How a target is to be made. A field that does not concern a target is not given to it. */
export interface TargetOptions {
  /** Shape of the engine. */
  readonly shape?: string;
  /** Path or name of the QEMU binary. */
  readonly qemu?: string;
  /** Address width of QEMU's IOMMU in bits. */
  readonly awBits?: number;
}

/** Something that can be missing or be there. */
export interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do when it is not. */
  readonly hint?: string;
}

/** A kind of target that the command line can start. */
export interface TargetKind {
  readonly id: string;
  readonly description: string;
  /** Which flags concern it. */
  readonly flags: readonly (keyof TargetOptions)[];
  /** What `run` takes in turn when the flags leave it open: name, description and the options that say it. */
  readonly variants: readonly {
    readonly name: string;
    readonly description: string;
    readonly options: TargetOptions;
  }[];
  create(options: TargetOptions): Target;
  /** The options that make a target like the one a stored case was found on. */
  optionsFor(profile: Pick<Profile, 'name' | 'implementation'>): TargetOptions;
  /** What it needs here, and whether that is there. */
  checks(options: TargetOptions): Promise<readonly Check[]>;
}

/** Everything that the command line puts together. */
export interface World {
  readonly targets: readonly TargetKind[];
  readonly properties: readonly Property[];
  readonly catalogue: readonly Clause[];
  readonly judge: Judge;
  readonly checkComponent?: ComponentCheck;
  readonly clauseApplies?: (clause: Clause, profile: Profile) => boolean;
  /** Runs software under test. */
  readonly drive?: Drive;
  readonly tool: { readonly name: string; readonly version: string };
  /** Folder of the package: properties/known and properties/cases are below it. */
  readonly root: string;
}
