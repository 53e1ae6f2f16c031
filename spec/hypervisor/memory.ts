import type { StoreOperation } from '../interface/operations.js';
import type { Answer, Stimulus } from '../interface/scenario.js';
import type { Verdict } from '../interface/software.js';
import { FRAME_BYTES } from '../layout/tokens.js';
import {
  breaking,
  type HypervisorState,
  including,
  isRefusal,
  numberOf,
  type Open,
  onward,
  type PageChoices,
  vmOf,
} from './state.js';

const NOT_MAPPED: PageChoices = [undefined];
const MASK = BigInt(FRAME_BYTES - 1);

/** The page that a stimulus of a VM's owner is about. */
const pageOf = (stimulus: Stimulus): string => `${vmOf(stimulus.actor)}/${numberOf(stimulus, 'page')}`;

/** What a VM's page may be mapped to now. */
export function choicesOf(state: HypervisorState, vm: string, page: number): PageChoices {
  return state.pages[`${vm}/${page}`] ?? NOT_MAPPED;
}

/** HV-ISO-001. A frame that a page is only about to get is out of reach as long as another page has it. */
export function isTaken(state: HypervisorState, vm: string, page: number, frame: bigint): boolean {
  const own = `${vm}/${page}`;
  if (hasOrHad(state, own, frame)) return false;
  return Object.keys(state.pages).some((each) => each !== own && hasOrHad(state, each, frame));
}

/** The VM and page that may be mapped to a frame now, if there is one. */
export function possibleOwner(state: HypervisorState, frame: bigint): string | undefined {
  return Object.keys(state.pages).find((page) => state.pages[page]!.includes(frame));
}

/** Whether a request about a page can be met as things are: for `map` it is not mapped, for the others it is. */
export function memoryPossible(state: HypervisorState, stimulus: Stimulus): boolean {
  const choices = state.pages[pageOf(stimulus)] ?? NOT_MAPPED;
  return stimulus.action === 'map' ? choices.includes(undefined) : choices.some((frame) => frame !== undefined);
}

/**
 * HV-TRN-001, HV-TRN-002. While a page is mapped, unmapped or remapped, a request finds what was there before or what
 * will be there after.
 */
export function memoryAsked(state: HypervisorState, stimulus: Stimulus, answer: Answer | undefined): HypervisorState {
  if (isRefusal(answer)) return state;
  const page = pageOf(stimulus);
  const after = stimulus.action === 'unmap' ? undefined : frameIn(answer);
  return withChoices(state, page, including(state.pages[page] ?? NOT_MAPPED, after));
}

/** HV-TRN-001. From the answer on, a request finds what the answer says. */
export function memoryAnswered(state: HypervisorState, { stimulus }: Open, answer: Answer): Verdict<HypervisorState> {
  const page = pageOf(stimulus);
  const frame = stimulus.action === 'unmap' ? undefined : frameIn(answer);
  const next = withChoices(state, page, [frame]);
  return frame === undefined ? onward(next) : frameGiven(state, next, page, frame);
}

function withChoices(state: HypervisorState, page: string, choices: PageChoices): HypervisorState {
  return { ...state, pages: { ...state.pages, [page]: choices } };
}

/** HV-OWN-001. A frame that is given to a VM is a whole frame of the host's memory, and nobody else's. */
function frameGiven(
  before: HypervisorState,
  next: HypervisorState,
  page: string,
  frame: bigint,
): Verdict<HypervisorState> {
  const { base, bytes } = before.profile.arena;
  const shown = `frame 0x${frame.toString(16)} for ${page}`;
  if ((frame & MASK) !== 0n || frame < base || frame >= base + BigInt(bytes)) {
    return breaking(next, 'HV-OWN-001', 'no frame of the arena', 'a frame of the arena', shown);
  }
  const other = Object.keys(before.pages).find((each) => each !== page && hasOrHad(before, each, frame));
  if (other === undefined) return onward(next, 'HV-OWN-001');
  const whose = vmOf(other.split('/')[0]!) === page.split('/')[0] ? 'the same VM' : 'another VM';
  return breaking(next, 'HV-OWN-001', `frame of ${whose}`, 'a frame that nobody has', `${shown}, which ${other} has`);
}

/** Whether a page has a frame, or is about to lose it; one that it is only about to get, it may get when the frame is free. */
function hasOrHad(state: HypervisorState, page: string, frame: bigint): boolean {
  const coming = state.open.some(({ stimulus, answer }) => pageOf(stimulus) === page && frameIn(answer) === frame);
  return !coming && state.pages[page]?.includes(frame) === true;
}

/** HV-OWN-002. The host does not store into memory that a VM has. */
export function hostStores(state: HypervisorState, operation: StoreOperation): Verdict<HypervisorState> {
  const { address, words, repeat = 1 } = operation;
  const last = address + BigInt(words.length * 8 * repeat) - 1n;
  for (let frame = address & ~MASK; frame <= last; frame += MASK + 1n) {
    const owner = Object.keys(state.pages).find((page) => {
      const choices = state.pages[page]!;
      return choices.length === 1 && choices[0] === frame;
    });
    if (owner !== undefined) {
      return breaking(
        state,
        'HV-OWN-002',
        'store to a mapped frame',
        `nothing is stored to 0x${frame.toString(16)}, which ${owner} has`,
        `a store at 0x${address.toString(16)}`,
      );
    }
  }
  return onward(state, 'HV-OWN-002');
}

function frameIn(answer: Answer | undefined): bigint | undefined {
  const frame = answer?.['frame'];
  return typeof frame === 'bigint' ? frame : undefined;
}
