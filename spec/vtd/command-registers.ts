import { type Bits, CCMD_FIELDS, IOTLB_FIELDS } from '../layout/vtd.js';
import { at, type Content, content, mask } from './content.js';
import { completeInvalidation, contextGranularityLawful, iotlbGranularityLawful } from './invalidation.js';
import type { VtdState } from './state.js';

/** VTD-INV-012: ICC falls with completion, and CAIG tells what was done. N27, N50. */
export function contextCommandContents(state: VtdState, now: number): readonly Content[] {
  const { ICC, CAIG } = CCMD_FIELDS;
  return commandContents(state, 'context', now, ICC, CAIG, contextGranularityLawful, 'VTD-INV-012');
}

/** VTD-INV-013: IVT falls with completion, and IAIG tells what was done. N27, N50. */
export function iotlbCommandContents(state: VtdState, now: number): readonly Content[] {
  const { IVT, IAIG } = IOTLB_FIELDS;
  return commandContents(state, 'iotlb', now, IVT, IAIG, iotlbGranularityLawful, 'VTD-INV-013');
}

function commandContents(
  state: VtdState,
  cache: 'context' | 'iotlb',
  now: number,
  busy: Bits,
  actual: Bits,
  lawful: typeof contextGranularityLawful,
  clause: string,
): readonly Content[] {
  const pending = state.pending[cache];
  const finished = pending ?? state.performed[cache];
  if (finished === undefined) return [content(state, 0n, mask(busy), [])];
  const next = pending === undefined ? state : completeInvalidation(state, cache, now);
  const done = [0, 1, 2, 3]
    .filter((performed) => lawful(state, finished, performed))
    .map((performed) =>
      content(next, at(actual, BigInt(performed)), mask(busy) | mask(actual), [
        performed === 0 ? refusalClause(state, finished.granularity) : clause,
      ]),
    );
  return pending === undefined ? done : [...done, content(state, mask(busy), mask(busy), [])];
}

/** The rule by which an invalidation reports granularity 00b. Facts 7.7. */
function refusalClause(state: VtdState, granularity: number): string {
  if (state.caps.majorVersion >= 6) return 'VTD-INV-016';
  return state.root !== undefined && state.root.mode !== 0 && granularity !== 0 ? 'VTD-INV-015' : 'VTD-INV-014';
}
