import { match } from 'ts-pattern';
import type { Answer, Stimulus } from '../interface/scenario.js';
import type { Performed, SoftwareModel, Verdict } from '../interface/software.js';
import { assignmentAnswered, assignmentAsked } from './assignment.js';
import { deviceRequests } from './dma.js';
import { hostStores, memoryAnswered, memoryAsked } from './memory.js';
import { allAnswered, answeredLawfully, opened, watch } from './requests.js';
import { allArrived, changesRoute, messageSent, routeAnswered, routeAsked, withTime } from './routes.js';
import { breaking, type HypervisorState, isRefusal, type Open, onward, vmOf } from './state.js';
import { accepts, endsInterrupt, setsTaskPriority, unmasked } from './vcpu.js';

type Next = Verdict<HypervisorState>;

const isVcpu = ({ actor }: Stimulus): boolean => actor.includes('.vcpu');
const isDevice = (state: HypervisorState, { actor }: Stimulus): boolean =>
  state.profile.requesters.some(({ id }) => id === actor);

/** A request of a VM's owner or guest: it may take effect from now on. */
function asked(state: HypervisorState, id: number, stimulus: Stimulus, answer: Answer | undefined): Next {
  if (isVcpu(stimulus) || isDevice(state, stimulus)) return onward(state);
  const open = opened(state, { id, stimulus, answer });
  const listed = { ...state, open: [...state.open, open] };
  const effective = match(stimulus.action)
    .with('map', 'unmap', 'remap', () => memoryAsked(listed, stimulus, answer))
    .with('attach', 'detach', () => assignmentAsked(listed, stimulus, answer))
    .otherwise(() => listed);
  const routed =
    changesRoute(stimulus) && !isRefusal(answer) ? withTime(routeAsked(effective, id, stimulus)) : effective;
  return onward(watch(routed));
}

/** The answer: from here on it has taken effect. */
function answered(state: HypervisorState, id: number, answer: Answer): Next {
  const open = state.open.find((each) => each.id === id);
  if (open === undefined) return onward(state);
  const lawful = answeredLawfully(state, open);
  const routed = changesRoute(open.stimulus) && !isRefusal(answer) ? routeAnswered(withTime(state), id) : state;
  const closed = { ...routed, open: routed.open.filter((each) => each !== open && each.id !== id) };
  if (lawful.broken !== undefined) return { ...lawful, next: closed };
  if (isRefusal(answer)) return onward(closed, ...lawful.clauses);
  const effect = tookEffect(closed, open, answer);
  return { ...effect, next: watch(effect.next), clauses: [...lawful.clauses, ...effect.clauses] };
}

function tookEffect(state: HypervisorState, open: Open, answer: Answer): Next {
  const { stimulus } = open;
  return match(stimulus.action)
    .with('map', 'unmap', 'remap', () => memoryAnswered(state, open, answer))
    .with('attach', 'detach', () => onward(assignmentAnswered(state, stimulus)))
    .with('unmask', () => onward(unmasked(state, vmOf(stimulus.actor))))
    .otherwise(() => onward(state));
}

/** What a guest does with its vCPU takes effect at once. */
function vcpuActs(state: HypervisorState, stimulus: Stimulus, answer: Answer): Next {
  const lost = state.lostCount;
  return match(stimulus.action)
    .with('accept', () =>
      lost === undefined ? accepts(withTime(state), stimulus.actor, answer) : { ...onward(state), undecided: lost },
    )
    .with('eoi', () => endsInterrupt(state, stimulus.actor))
    .otherwise(() => setsTaskPriority(state, stimulus.actor, stimulus));
}

/** HV-DLV-001. A function that a VM has, and nobody is taking away, can signal. */
function signals(state: HypervisorState, name: string, sent: boolean): Next {
  const holders = state.holders[name] ?? [undefined];
  if (sent) return onward(withTime(messageSent(state, name)), 'HV-DLV-001');
  if (holders.includes(undefined)) return onward(state);
  return breaking(state, 'HV-DLV-001', 'no message', `the message of ${name}`, 'its MSI capability is disabled');
}

function performed(state: HypervisorState, { operation, observation, reach, sent }: Performed): Next {
  return match(operation)
    .with({ op: 'store' }, (store) => hostStores(state, store))
    .with({ op: 'dma' }, (dma) =>
      deviceRequests(state, dma, { operation, observation, ...(reach === undefined ? {} : { reach }) }),
    )
    .with({ op: 'signal' }, ({ requester }) => signals(state, requester, sent === true))
    .otherwise(() => onward(state));
}

/** What two VMs on one remapping unit are promised. */
export const hypervisorModel: SoftwareModel<HypervisorState> = {
  name: 'two-vms',
  initial: (_configuration, profile) => ({
    profile,
    pages: {},
    holders: {},
    open: [],
    writers: {},
    vcpus: {},
    everRouted: [],
    worlds: [{ routes: {}, underWay: {}, kept: [], requested: {}, outstanding: [] }],
    lostCount: undefined,
  }),
  asked: (state, id, stimulus, answer) =>
    isVcpu(stimulus) && answer !== undefined ? vcpuActs(state, stimulus, answer) : asked(state, id, stimulus, answer),
  answered,
  performed,
  rest: (state) => onward(state.lostCount === undefined ? allArrived(withTime(state)) : state),
  ended: allAnswered,
};
