import type { DmaOperation } from '../interface/operations.js';
import type { Performed, Reach, Verdict } from '../interface/software.js';
import { FRAME_BYTES } from '../layout/tokens.js';
import { holdersOf } from './assignment.js';
import { foreignBytes } from './contents.js';
import { choicesOf, isTaken, possibleOwner } from './memory.js';
import { breaking, type HypervisorState, onward, type PageChoices } from './state.js';

/** Where a device's request may go by what was asked and answered. */
interface Admitted {
  readonly frames: readonly bigint[];
  readonly blocked: boolean;
  /** Why it may not go anywhere else, for people. */
  readonly because: string;
}

const SIZE = BigInt(FRAME_BYTES);

/** HV-TRN-001. A function reaches what the VM that has it has mapped there; a function of no VM, nothing. */
function admittedFor(state: HypervisorState, { requester, address }: DmaOperation): Admitted {
  const page = Number(address / SIZE);
  const holders = holdersOf(state, requester);
  const choices = holders.flatMap((vm): PageChoices => {
    if (vm === undefined) return [undefined];
    return choicesOf(state, vm, page).filter((frame) => frame === undefined || !isTaken(state, vm, page, frame));
  });
  const frames = choices.filter((frame) => frame !== undefined);
  const assigned = holders.some((vm) => vm !== undefined);
  const because = !assigned ? 'function of no VM' : frames.length === 0 ? 'page not mapped' : 'page mapped elsewhere';
  return { frames, blocked: choices.includes(undefined), because };
}

/** A device's request, held against who has the function and what is mapped. */
export function deviceRequests(
  state: HypervisorState,
  operation: DmaOperation,
  { observation, reach }: Performed,
): Verdict<HypervisorState> {
  const next = operation.direction === 'write' ? noted(state, operation) : state;
  if (reach === undefined) return onward(next);
  const went = wentWhereMapped(next, operation, reach);
  if (went.broken !== undefined || operation.direction === 'write' || reach.mayBlock) return went;
  const data = observation.of === 'dma' ? observation.data : undefined;
  const read = data === undefined ? undefined : foreignBytes(next, operation, data);
  return read === undefined ? went : { ...read, clauses: [...went.clauses, ...read.clauses] };
}

/** HV-ISO-001, HV-ISO-002, HV-TRN-001, HV-TRN-002. Wherever hardware may take a request, it must be admitted there. */
function wentWhereMapped(state: HypervisorState, operation: DmaOperation, reach: Reach): Verdict<HypervisorState> {
  const { requester, direction, address } = operation;
  const admitted = admittedFor(state, operation);
  const shown = `${requester} may ${direction}`;
  for (const reached of reach.addresses) {
    const frame = reached & ~(SIZE - 1n);
    if (admitted.frames.includes(frame) && reached % SIZE === address % SIZE) continue;
    const owner = possibleOwner(state, frame);
    const [clause, whose] = whoseFrame(state, requester, owner);
    const expected = `${requester} reaches ${admitted.frames.length === 0 ? 'nothing' : 'its own page'}: ${admitted.because}`;
    const observed = `${shown} 0x${reached.toString(16)}${owner === undefined ? '' : `, which ${owner} has`}`;
    return breaking(state, clause, `${direction}: ${whose}, ${admitted.because}`, expected, observed);
  }
  if (reach.mayBlock && !admitted.blocked) {
    const expected = `${requester} reaches 0x${admitted.frames[0]!.toString(16)}`;
    return breaking(state, 'HV-TRN-001', `${direction}: mapped page not reached`, expected, 'it may be blocked');
  }
  return onward(state, ...(reach.addresses.length > 0 ? ['HV-TRN-001', 'HV-TRN-002'] : []), 'HV-ISO-001', 'HV-ISO-002');
}

function whoseFrame(state: HypervisorState, requester: string, owner: string | undefined): readonly [string, string] {
  if (owner === undefined) return ['HV-ISO-002', "the host's frame"];
  const own = holdersOf(state, requester).includes(owner.split('/')[0]);
  return own ? ['HV-TRN-002', 'another page of the VM'] : ['HV-ISO-001', "another VM's frame"];
}

/** Remembers who may have had a function when it wrote a token. */
function noted(state: HypervisorState, { requester, token }: DmaOperation): HypervisorState {
  return { ...state, writers: { ...state.writers, [`${requester}/${token}`]: holdersOf(state, requester) } };
}
