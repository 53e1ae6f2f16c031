import type { Answer, Stimulus } from '../interface/scenario.js';
import type { Verdict } from '../interface/software.js';
import { breaking, type DeliveryWorld, type HypervisorState, numberOf, onward, type VcpuState } from './state.js';

const AFTER_RESET: VcpuState = { inService: [], taskPriority: 0, opened: false };

/** The priority class of a vector or of a TPR value: its upper nibble. */
const classOf = (vector: number): number => vector >> 4;

function stateOf(state: HypervisorState, vcpu: string): VcpuState {
  return state.vcpus[vcpu] ?? AFTER_RESET;
}

function withVcpu(state: HypervisorState, vcpu: string, change: Partial<VcpuState>): HypervisorState {
  return { ...state, vcpus: { ...state.vcpus, [vcpu]: { ...stateOf(state, vcpu), ...change } } };
}

/** APIC-005. The class that a vector must exceed: that of TPR, or of the highest vector in service. */
function processorPriority({ taskPriority, inService }: VcpuState): number {
  return Math.max(classOf(taskPriority), classOf(Math.max(0, ...inService)));
}

/** APIC-006. The vector that would be dispatched in a world: the highest one requested, if its class is high enough. */
function deliverable(world: DeliveryWorld, vcpu: string, priority: number): number | undefined {
  const highest = world.requested[vcpu]?.at(-1);
  return highest !== undefined && classOf(highest) > priority ? highest : undefined;
}

/** APIC-007. Dispatch takes exactly the highest requested vector into service; one that comes again waits. */
function dispatched(world: DeliveryWorld, vcpu: string, vector: number): DeliveryWorld {
  const requested = (world.requested[vcpu] ?? []).filter((each) => each !== vector);
  return { ...world, requested: { ...world.requested, [vcpu]: requested } };
}

/** A guest is ready for an interrupt and gets one, or none. */
export function accepts(state: HypervisorState, vcpu: string, answer: Answer): Verdict<HypervisorState> {
  const told = answer['vector'];
  const vector = typeof told === 'number' ? told : undefined;
  const own = stateOf(state, vcpu);
  const priority = processorPriority(own);
  const worlds = state.worlds.filter((world) => deliverable(world, vcpu, priority) === vector);
  if (worlds.length === 0) return wrongDispatch(state, vcpu, vector, priority);
  if (vector === undefined) {
    const kept = { ...withVcpu(state, vcpu, { opened: false }), worlds };
    return onward(kept, 'HV-DLV-001', ...(own.opened ? ['HV-DLV-006'] : []));
  }
  const next = withVcpu(state, vcpu, { inService: [...own.inService, vector], opened: false });
  const clauses = ['HV-DLV-001', 'HV-DLV-002', 'HV-DLV-003', 'HV-DLV-007', 'APIC-006', 'APIC-007', 'APIC-005'];
  const more = own.opened ? ['HV-DLV-006'] : [];
  return onward({ ...next, worlds: worlds.map((world) => dispatched(world, vcpu, vector)) }, ...clauses, ...more);
}

/** HV-DLV-001, -002, -003, -006, -007, APIC-006, APIC-007. Which promise a dispatch breaks that fits no world. */
function wrongDispatch(
  state: HypervisorState,
  vcpu: string,
  vector: number | undefined,
  priority: number,
): Verdict<HypervisorState> {
  const expected = [...new Set(state.worlds.map((world) => deliverable(world, vcpu, priority)))]
    .map(named)
    .join(' or ');
  const broken = (clause: string, discriminator: string): Verdict<HypervisorState> =>
    breaking(state, clause, discriminator, `${vcpu} gets ${expected}`, `it gets ${named(vector)}`);
  if (vector === undefined) {
    const { opened } = stateOf(state, vcpu);
    return opened ? broken('HV-DLV-006', 'held event lost') : broken('HV-DLV-001', 'event lost');
  }
  if (state.worlds.some((world) => world.requested[vcpu]?.includes(vector) === true)) {
    if (classOf(vector) <= priority) return broken('APIC-006', 'class not above the processor priority');
    return broken('APIC-007', 'not the highest vector');
  }
  const routed = state.worlds.some(({ routes }) =>
    Object.values(routes).some((route) => route.vcpu === vcpu && route.vector === vector),
  );
  if (routed) return broken('HV-DLV-003', 'more entries than events');
  const once = state.everRouted.includes(`${vcpu}/${vector}`);
  return once ? broken('HV-DLV-007', 'entry after removal') : broken('HV-DLV-002', 'never routed there');
}

function named(vector: number | undefined): string {
  return vector === undefined ? 'no interrupt' : `vector 0x${vector.toString(16)}`;
}

/** APIC-008. EOI ends the highest vector in service. */
export function endsInterrupt(state: HypervisorState, vcpu: string): Verdict<HypervisorState> {
  const own = stateOf(state, vcpu);
  const highest = Math.max(...own.inService);
  const inService = own.inService.filter((each) => each !== highest);
  return onward(withVcpu(state, vcpu, { inService, opened: true }), 'APIC-008');
}

/** APIC-005. TPR is what the guest says it is. */
export function setsTaskPriority(state: HypervisorState, vcpu: string, stimulus: Stimulus): Verdict<HypervisorState> {
  return onward(withVcpu(state, vcpu, { taskPriority: numberOf(stimulus, 'priority'), opened: true }));
}

/** An unmasked route lets in what was kept: at every vCPU of the VM. */
export function unmasked(state: HypervisorState, vm: string): HypervisorState {
  const vcpus = Object.keys(state.vcpus).filter((vcpu) => vcpu.startsWith(`${vm}.`));
  return vcpus.reduce((next, vcpu) => withVcpu(next, vcpu, { opened: true }), state);
}
