import type { InterruptMessage } from '../../spec/interface/observations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Answer, Stimulus } from '../../spec/interface/scenario.js';
import { ContextTables } from './contexts.js';
import { FramePool } from './frames.js';
import { AssignableFunction } from './functions.js';
import { type Forgotten, type Invalidator, RegisterInvalidator } from './invalidation.js';
import { QueueInvalidator } from './invalidation-queue.js';
import { GuestTables } from './tables.js';
import type { Task } from './task.js';
import { UnitRegisters } from './unit.js';
import { VirtualCpu } from './vcpu.js';
import { VirtualMachine } from './vm.js';

/** How many VMs there are, and how many vCPUs each has. */
export const VMS = 2;
export const VCPUS = 2;

/** A request that makes no sense: an actor, action or argument that there is not. */
export class BadStimulus extends Error {
  constructor({ actor, action }: Stimulus, expected: string) {
    super(`stimulus "${actor} ${action}": expected ${expected}`);
    this.name = 'BadStimulus';
  }
}

/** The invalidator is made after the tables that need it: it is known only when the unit was looked at. */
class Later implements Invalidator {
  is: Invalidator | undefined;

  *forget(what: readonly Forgotten[]): Task<void> {
    yield* this.is!.forget(what);
  }
}

/** Two VMs on one remapping unit, with functions that are given to one or the other. */
export class Hypervisor {
  private readonly functions: readonly AssignableFunction[];
  private readonly pool: FramePool;
  private readonly registers: UnitRegisters;
  private readonly routingIds: readonly number[];
  private vms: readonly VirtualMachine[] = [];

  constructor(profile: Profile, component: string) {
    const requesters = profile.requesters.filter((each) => each.component === component);
    this.functions = requesters.map((requester, position) => new AssignableFunction(requester, position));
    this.routingIds = requesters.map(({ routingId }) => routingId);
    this.pool = new FramePool(profile);
    this.registers = new UnitRegisters(component);
  }

  /** Takes the remapping unit over: no function reaches anything. */
  *boot(): Task<void> {
    const { pool, registers } = this;
    const capabilities = yield* registers.capabilities();
    const invalidator = new Later();
    const contexts = new ContextTables(this.routingIds, pool, invalidator);
    yield* contexts.prepare();
    yield* registers.latchRoot(contexts.root);
    if (capabilities.queue) {
      const queue = new QueueInvalidator(registers, capabilities, pool.take(), pool.take());
      yield* queue.enable();
      invalidator.is = queue;
    } else invalidator.is = new RegisterInvalidator(registers, capabilities);
    yield* invalidator.forget([{ what: 'everything' }]);
    const { aw, levels } = capabilities.addressWidth;
    const vms: VirtualMachine[] = [];
    for (let n = 0; n < VMS; n++) {
      const tables = new GuestTables(levels, n + 1, pool, invalidator);
      yield* tables.prepare();
      const vcpus = Array.from({ length: VCPUS }, (_, each) => new VirtualCpu(`vm${n}.vcpu${each}`));
      vms.push(new VirtualMachine(n + 1, vcpus, tables, { pool, contexts, addressWidth: aw }));
    }
    this.vms = vms;
    yield* registers.translate();
  }

  /** A message arrived at a host CPU: gives the handler that it starts. */
  interrupt(message: InterruptMessage): Task<void> | undefined {
    return this.functions.find((each) => each.isOwn(message))?.arrived();
  }

  /** What an actor asks of the hypervisor: the task that does it. @throws BadStimulus */
  asked(stimulus: Stimulus): Task<Answer> {
    const [, number, part] = /^vm(\d+)(?:\.(\w+))?$/.exec(stimulus.actor) ?? [];
    const vm = this.vms[Number(number)];
    if (vm === undefined) throw new BadStimulus(stimulus, `an actor of vm0 to vm${VMS - 1}`);
    if (part === undefined) return this.ownerAsks(vm, stimulus);
    if (part === 'guest') return this.guestAsks(vm, stimulus);
    const vcpu = vm.vcpus.find(({ name }) => name === stimulus.actor);
    if (vcpu === undefined) throw new BadStimulus(stimulus, `"guest" or vcpu0 to vcpu${VCPUS - 1}`);
    return vcpuDoes(vcpu, stimulus);
  }

  private ownerAsks(vm: VirtualMachine, stimulus: Stimulus): Task<Answer> {
    switch (stimulus.action) {
      case 'map':
        return vm.map(numberIn(stimulus, 'page'));
      case 'unmap':
        return vm.unmap(numberIn(stimulus, 'page'));
      case 'remap':
        return vm.remap(numberIn(stimulus, 'page'));
      case 'attach': {
        const vcpu = numberIn(stimulus, 'vcpu');
        const route = { vcpu: vcpuOf(vm, stimulus), vector: numberIn(stimulus, 'vector'), masked: false };
        return vm.attach(this.functionIn(stimulus), route, hostCpuOf(vm, vcpu));
      }
      case 'detach':
        return vm.detach(this.functionIn(stimulus));
      default:
        throw new BadStimulus(stimulus, 'map, unmap, remap, attach or detach');
    }
  }

  private guestAsks(vm: VirtualMachine, stimulus: Stimulus): Task<Answer> {
    const assigned = this.functionIn(stimulus);
    switch (stimulus.action) {
      case 'route': {
        const vcpu = vcpuOf(vm, stimulus);
        const vector = numberIn(stimulus, 'vector');
        const hostCpu = hostCpuOf(vm, numberIn(stimulus, 'vcpu'));
        return vm.reroute(assigned, (route) => ({ ...route, vcpu, vector }), hostCpu);
      }
      case 'mask':
        return vm.reroute(assigned, (route) => ({ ...route, masked: true }));
      case 'unmask':
        return vm.reroute(assigned, (route) => ({ ...route, masked: false }));
      default:
        throw new BadStimulus(stimulus, 'route, mask or unmask');
    }
  }

  private functionIn(stimulus: Stimulus): AssignableFunction {
    const name = stimulus.arguments['function'];
    const found = this.functions.find(({ requester }) => requester.id === name);
    if (found !== undefined) return found;
    const known = this.functions.map(({ requester }) => requester.id).join(', ');
    throw new BadStimulus(stimulus, `a "function" of ${known}`);
  }
}

/** A vCPU takes an interrupt, ends one, or changes its priority; a guest does so in one step. */
// biome-ignore lint/correctness/useYield: a task that needs no steps
function* vcpuDoes(vcpu: VirtualCpu, stimulus: Stimulus): Task<Answer> {
  switch (stimulus.action) {
    case 'accept': {
      const vector = vcpu.dispatch();
      return vector === undefined ? {} : { vector };
    }
    case 'eoi':
      vcpu.endOfInterrupt();
      return {};
    case 'tpr':
      vcpu.setTaskPriority(numberIn(stimulus, 'priority'));
      return {};
    default:
      throw new BadStimulus(stimulus, 'accept, eoi or tpr');
  }
}

/** The host CPU that a vCPU runs on. */
function hostCpuOf(vm: VirtualMachine, vcpu: number): number {
  return (vm.domain - 1) * VCPUS + vcpu;
}

function vcpuOf(vm: VirtualMachine, stimulus: Stimulus): VirtualCpu {
  const found = vm.vcpus[numberIn(stimulus, 'vcpu')];
  if (found === undefined) throw new BadStimulus(stimulus, `a "vcpu" of 0 to ${VCPUS - 1}`);
  return found;
}

/** @throws BadStimulus when the argument is no number */
export function numberIn(stimulus: Stimulus, name: string): number {
  const value = stimulus.arguments[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new BadStimulus(stimulus, `a whole number "${name}"`);
  return value;
}
