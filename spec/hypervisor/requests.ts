import type { Verdict } from '../interface/software.js';
import { assignmentPossible } from './assignment.js';
import { memoryPossible } from './memory.js';
import { breaking, type HypervisorState, isRefusal, type Open, onward } from './state.js';

const MEMORY = ['map', 'unmap', 'remap'];

/** Whether what a stimulus asks for can be done as things are. */
export function possible(state: HypervisorState, { stimulus }: Pick<Open, 'stimulus'>): boolean {
  return MEMORY.includes(stimulus.action) ? memoryPossible(state, stimulus) : assignmentPossible(state, stimulus);
}

/** Whether it can be done whichever of the open changes took effect. */
function certain(state: HypervisorState, open: Pick<Open, 'stimulus'>): boolean {
  const { stimulus } = open;
  const settled = MEMORY.includes(stimulus.action)
    ? (state.pages[`${stimulus.actor}/${String(stimulus.arguments['page'])}`] ?? [undefined])
    : (state.holders[String(stimulus.arguments['function'])] ?? [undefined]);
  return settled.length === 1 && possible(state, open);
}

/** Follows, for every stimulus that is not answered yet, whether it could be met. */
export function watch(state: HypervisorState): HypervisorState {
  const open = state.open.map((each) => ({
    ...each,
    everPossible: each.everPossible || possible(state, each),
    alwaysPossible: each.alwaysPossible && certain(state, each),
  }));
  return { ...state, open };
}

/** A stimulus as it is when it was just asked. */
export function opened(state: HypervisorState, open: Pick<Open, 'id' | 'stimulus' | 'answer'>): Open {
  return { ...open, everPossible: possible(state, open), alwaysPossible: certain(state, open) };
}

/**
 * HV-REQ-001. A request is refused only when it cannot be met; HV-FN-001, HV-REQ-002. It is met only when it can be:
 * a function that another VM has is not given away, and what is not mapped is not unmapped.
 */
export function answeredLawfully(state: HypervisorState, open: Open): Verdict<HypervisorState> {
  const { stimulus, answer } = open;
  const shown = `${stimulus.actor} ${stimulus.action}`;
  if (isRefusal(answer)) {
    const full = MEMORY.includes(stimulus.action) && answer?.['refused'] === 'no frame is free';
    if (!open.alwaysPossible || full) return onward(state, 'HV-REQ-001');
    const said = `refused: ${String(answer?.['refused'])}`;
    return breaking(state, 'HV-REQ-001', `${stimulus.action} refused`, `${shown} is done`, said);
  }
  const clause = stimulus.action === 'attach' ? 'HV-FN-001' : 'HV-REQ-002';
  if (open.everPossible) return onward(state, clause);
  return breaking(state, clause, `${stimulus.action} done`, `${shown} is refused`, 'it is done');
}

/** HV-LIVE-001. Everything that is asked is answered. */
export function allAnswered(state: HypervisorState): Verdict<HypervisorState> {
  const [open] = state.open;
  if (open === undefined) return onward(state, 'HV-LIVE-001');
  const { actor, action } = open.stimulus;
  return breaking(state, 'HV-LIVE-001', `${action} unanswered`, `${actor} ${action} is answered`, 'no answer');
}
