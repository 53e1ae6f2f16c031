import { produce } from 'immer';
import type { Answer, Stimulus } from '../interface/scenario.js';
import { functionOf, type HolderChoices, type HypervisorState, including, isRefusal, vmOf } from './state.js';

const HOST: HolderChoices = [undefined];

/** Who may have a function now. */
export function holdersOf(state: HypervisorState, name: string): HolderChoices {
  return state.holders[name] ?? HOST;
}

/** Whether a request about a function can be met as things are: to attach it, it is free; for the others, the VM has it. */
export function assignmentPossible(state: HypervisorState, stimulus: Stimulus): boolean {
  const holders = holdersOf(state, functionOf(stimulus));
  return holders.includes(stimulus.action === 'attach' ? undefined : vmOf(stimulus.actor));
}

/**
 * HV-ISO-001, HV-TRN-001. While a function changes hands, it may be with the one or the other; one that is being taken away,
 * also with whoever waits for it. One that a VM has stays with it, whoever asks for it.
 */
export function assignmentAsked(
  state: HypervisorState,
  stimulus: Stimulus,
  answer: Answer | undefined,
): HypervisorState {
  if (isRefusal(answer)) return state;
  const name = functionOf(stimulus);
  if (stimulus.action === 'attach' && !assignmentPossible(state, stimulus)) return state;
  const after = stimulus.action === 'attach' ? [vmOf(stimulus.actor)] : [undefined, ...waitingFor(state, name)];
  return produce(state, (draft) => {
    draft.holders[name] = after.reduce<HolderChoices>(including, holdersOf(state, name)).slice();
  });
}

/** VMs that have asked for a function and are going to get it. */
function waitingFor({ open }: HypervisorState, name: string): readonly string[] {
  const waiting = open.filter(
    ({ stimulus, answer }) => stimulus.action === 'attach' && functionOf(stimulus) === name && !isRefusal(answer),
  );
  return waiting.map(({ stimulus }) => vmOf(stimulus.actor));
}

/**
 * HV-FN-001. From the answer on a function is the VM's, or is not the VM's any more. Whoever else asked for it has not got
 * it, and can get it only when it is free again.
 */
export function assignmentAnswered(state: HypervisorState, stimulus: Stimulus): HypervisorState {
  const name = functionOf(stimulus);
  const vm = vmOf(stimulus.actor);
  const others = holdersOf(state, name).filter((each) => each !== vm);
  return produce(state, (draft) => {
    draft.holders[name] = stimulus.action === 'attach' ? [vm] : others.length === 0 ? [undefined] : others;
    for (const open of draft.open) {
      const rival = stimulus.action === 'attach' && open.stimulus.action === 'attach';
      if (rival && open.stimulus.arguments['function'] === name) open.everPossible = false;
    }
  });
}
