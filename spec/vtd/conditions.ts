import { FAULT } from '../layout/vtd.js';

/** A fault condition that holds for a request. Facts 5.3, 5.4. */
export interface FaultCondition {
  /** Reason code, 8 bits. */
  readonly reason: number;
  /** The manual's name of the condition, for example "LSS.2". */
  readonly name: string;
  /** Qualified faults are not recorded when an FPD met on the way is 1. */
  readonly qualified: boolean;
  readonly clause: string;
  /** Structure and field that make it hold; several when several fields break the same rule. */
  readonly causes: readonly string[];
  /** Whether FI holds the request's address. */
  readonly addressRecorded: boolean;
}

interface Row {
  readonly name: string;
  readonly qualified: boolean;
  readonly addressRecorded?: false;
}

/** The columns "name" and "Q" of facts 5.3, 5.4 and, for 29h, 5.6. */
const ROWS: Readonly<Record<number, Row>> = {
  [FAULT.ROOT_POINTER_INVALID]: { name: 'RTA.1', qualified: false },
  [FAULT.ABORT_MODE]: { name: 'RTA.4', qualified: false },
  [FAULT.ROOT_UNREADABLE]: { name: 'LRT.1', qualified: false },
  [FAULT.ROOT_NOT_PRESENT]: { name: 'LRT.2', qualified: false },
  [FAULT.ROOT_RESERVED]: { name: 'LRT.3', qualified: false },
  [FAULT.CONTEXT_UNREADABLE]: { name: 'LCT.1', qualified: false },
  [FAULT.CONTEXT_NOT_PRESENT]: { name: 'LCT.2', qualified: true },
  [FAULT.CONTEXT_RESERVED]: { name: 'LCT.3', qualified: true },
  [FAULT.CONTEXT_INVALID]: { name: 'LCT.4', qualified: true },
  [FAULT.PAGING_ENTRY_UNREADABLE]: { name: 'LSS.1', qualified: true },
  [FAULT.PAGING_ENTRY_RESERVED]: { name: 'LSS.2', qualified: true },
  [FAULT.ADDRESS_BEYOND_WIDTH]: { name: 'LGN.1', qualified: true },
  [FAULT.NO_WRITE_PERMISSION]: { name: 'LGN.2', qualified: true },
  [FAULT.NO_READ_PERMISSION]: { name: 'LGN.3', qualified: true },
  [FAULT.OUTPUT_IN_INTERRUPT_RANGE]: { name: 'LGN.4', qualified: true },
  [FAULT.INTERRUPT_RANGE_REQUEST]: { name: 'INT.29', qualified: false, addressRecorded: false },
};

/** Every reason that a legacy-mode request without PASID can be given. */
export const REQUEST_REASONS: readonly number[] = Object.keys(ROWS).map(Number);

/** A condition by its reason. */
export function condition(reason: number, clause: string, ...causes: readonly string[]): FaultCondition {
  const row = ROWS[reason];
  if (row === undefined) throw new Error(`no fault condition has reason ${reason}`);
  return {
    reason,
    name: row.name,
    qualified: row.qualified,
    clause,
    causes,
    addressRecorded: row.addressRecorded ?? true,
  };
}
