/** When the unit does what it was told to do by registers and by the queue. Everything is done in the order given. */
export interface Pace {
  /** Does a piece of work, now or later. */
  later(work: () => void): void;
  /** Does all work that is left before it returns. */
  finish(): void;
  /** Most descriptors taken from the queue before other work gets its turn. */
  batch(): number;
}

/** Does everything at once. */
export const AT_ONCE: Pace = {
  later: (work) => work(),
  finish: () => {},
  batch: () => Number.POSITIVE_INFINITY,
};
