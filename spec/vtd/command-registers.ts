import { type Bits, CCMD_FIELDS, IOTLB_FIELDS } from '../layout/vtd.js';
import { at, type Content, content, mask } from './content.js';
import { completeInvalidation } from './invalidation.js';
import { stateWith, type VtdState } from './state.js';

/**
 * VTD-INV-012: ICC falls with completion, and CAIG tells what was done. N27, N50. VTD-REG-015: bits 58:34 read 0.
 * VTD-REG-R03: CIRG and DID are what was written (facts 1.2).
 */
export function contextCommandContents(state: VtdState, now: number): readonly Content[] {
  const { ICC, CIRG, CAIG, DID } = CCMD_FIELDS;
  const written = state.stored['CCMD'];
  const { context } = state.performed;
  // A global command may have been given by its upper half alone.
  const asked = context === undefined ? 0n : context.granularity > 1 ? mask(CIRG) | mask(DID) : mask(CIRG);
  return commandContents(state, 'context', now, ICC, CAIG, 'VTD-INV-012').map((each) => ({
    ...each,
    value: each.value | ((written ?? 0n) & asked),
    mask: each.mask | asked | mask(CCMD_RESERVED),
    clauses: [...each.clauses, 'VTD-REG-015', ...(asked === 0n ? [] : ['VTD-REG-R03'])],
  }));
}

/** RsvdZ bits of CCMD. Facts 1.2. */
const CCMD_RESERVED: Bits = [58, 34];

/** VTD-INV-013: IVT falls with completion, and IAIG tells what was done. N27, N50. */
export function iotlbCommandContents(state: VtdState, now: number): readonly Content[] {
  const { IVT, IAIG } = IOTLB_FIELDS;
  return commandContents(state, 'iotlb', now, IVT, IAIG, 'VTD-INV-013');
}

function commandContents(
  state: VtdState,
  cache: 'context' | 'iotlb',
  now: number,
  busy: Bits,
  actual: Bits,
  clause: string,
): readonly Content[] {
  const pending = state.pending[cache];
  const finished = pending ?? state.performed[cache];
  if (finished === undefined) return [content(state, 0n, mask(busy), [])];
  const next = (performed: number): VtdState =>
    pending === undefined ? answeredWith(state, cache, performed) : completeInvalidation(state, cache, now, performed);
  const { lawful, refusal } = finished.answers ?? { lawful: [], refusal: clause };
  const done = lawful.map((performed) =>
    content(next(performed), at(actual, BigInt(performed)), mask(busy) | mask(actual), [
      performed === 0 ? refusal : clause,
    ]),
  );
  return pending === undefined ? done : [...done, content(state, mask(busy), mask(busy), [])];
}

/** The state in which the answer of the last command was read. */
function answeredWith(state: VtdState, cache: 'context' | 'iotlb', performed: number): VtdState {
  const command = state.performed[cache];
  if (command?.answers === undefined || command.answers.lawful.length === 1) return state;
  const answers = { ...command.answers, lawful: [performed] };
  return stateWith(state, { performed: { ...state.performed, [cache]: { ...command, answers } } });
}
