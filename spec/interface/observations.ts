/**
 * Observations: what a target let us see of one operation. Any field but the
 * indices may be absent, and absent means "not observed", never "no".
 */

/** When an operation began and completed, counted in ticks that never decrease along the history. */
export interface Span {
  readonly begin: number;
  readonly complete: number;
}

/** An interrupt message that came out of the hardware during the operation. */
export interface InterruptMessage {
  readonly address: bigint;
  readonly data: bigint;
  /** Routing ID of the sender where the target can tell. */
  readonly source?: number;
}

interface ObservationBase extends Span {
  /** Interrupt messages seen by the end of the operation; absent where the target cannot see them. */
  readonly messages?: readonly InterruptMessage[];
}

/** `store`, `paint`, `regWrite`, `configWrite`, `message`, `signal`, `eoi`, `settle` and `reset` show nothing of their own. */
export interface SilentObservation extends ObservationBase {
  readonly of: 'store' | 'paint' | 'regWrite' | 'configWrite' | 'message' | 'signal' | 'eoi' | 'settle' | 'reset';
}

export interface LoadObservation extends ObservationBase {
  readonly of: 'load';
  /** Exactly the bytes asked for. */
  readonly data?: Uint8Array;
}

export interface ValueObservation extends ObservationBase {
  readonly of: 'regRead' | 'configRead';
  readonly value?: bigint;
}

export interface PollObservation extends ObservationBase {
  readonly of: 'poll';
  /** The value of the last read. */
  readonly value?: bigint;
  /** Whether the condition held within the limit. */
  readonly satisfied?: boolean;
  /** Number of reads made. */
  readonly reads?: number;
}

/**
 * How a device saw its request end: `ok`, unsupported request, completer abort.
 * Only targets whose devices can tell give it.
 */
export type CompletionStatus = 'ok' | 'unsupported-request' | 'completer-abort';

export interface DmaObservation extends ObservationBase {
  readonly of: 'dma';
  readonly status?: CompletionStatus;
  /** For a read: the bytes that the device received, as long as the request. */
  readonly data?: Uint8Array;
  /** Whether the platform snooped the processors' caches for all that the request did to memory. */
  readonly snooped?: boolean;
}

export interface CpuObservation extends ObservationBase {
  readonly of: 'cpu';
  readonly data?: Uint8Array;
  /** Name of the exception or exit, where one was taken. */
  readonly exception?: string;
  readonly errorCode?: bigint;
}

export interface ControllerObservation extends ObservationBase {
  readonly of: 'controllerRead';
  readonly requested?: readonly number[];
  readonly inService?: readonly number[];
}

/** The observation of one operation; `of` is the operation's name. */
export type Observation =
  | SilentObservation
  | LoadObservation
  | ValueObservation
  | PollObservation
  | DmaObservation
  | CpuObservation
  | ControllerObservation;
