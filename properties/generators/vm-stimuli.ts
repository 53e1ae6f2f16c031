import type { Profile } from '../../spec/interface/profile.js';
import type { Stimulus } from '../../spec/interface/scenario.js';
import { CAP_FIELDS } from '../../spec/layout/vtd.js';
import type { Built } from '../../src/harness/property.js';
import { SOFTWARE } from '../../src/hypervisor/drive.js';
import { VCPUS, VMS } from '../../src/hypervisor/hypervisor.js';
import { ARCHITECTURE, field, unsuitable } from './capabilities.js';
import type { VmCase, VmIntent } from './vm-intents.js';

/** Guest-physical pages: neighbours, and pages whose tables are others at each level. */
const PAGES = [1, 2, 3, 512, 513, 262_144] as const;

/** Pages that are mapped at the beginning: neighbours, and one with tables of its own. */
const BEGUN = [PAGES[0], PAGES[1], PAGES[4]] as const;

/** Vectors of three classes, two each. */
const VECTORS = [0x31, 0x35, 0x52, 0x5e, 0x91, 0x9a] as const;

/** TPR values: nothing, two classes between the vectors, everything. */
const PRIORITIES = [0x00, 0x40, 0x60, 0xf0] as const;

/** Bytes of a DMA request, and the places in a page where it may be. */
const BYTES = 16;
const PLACES = 64;

/** Functions that take part. */
const FUNCTIONS = 3;

/** Why two VMs cannot be put on a target, or `undefined` when they can. */
export function unsuitableForVms(profile: Profile): string | undefined {
  const reason = unsuitable(profile);
  if (reason !== undefined) return reason;
  const component = Object.values(profile.components).find(({ architecture }) => architecture === ARCHITECTURE);
  const cap = component?.registers['CAP'] ?? 0n;
  if (field(cap, CAP_FIELDS.CM) !== 0n) return 'the hypervisor does not know caching mode';
  if (field(cap, CAP_FIELDS.RWBF) !== 0n) return 'the hypervisor does not flush write buffers';
  const able = profile.requesters.filter(({ dma, msiCapability }) => dma && msiCapability !== undefined);
  return able.length < 2 ? 'fewer than two functions with an MSI capability' : undefined;
}

/** What the events so far lead to when one is finished before the next begins. */
class Plan {
  readonly stimuli: Stimulus[] = [];
  private readonly names: readonly string[];
  private readonly tokens: number;
  private readonly owners = new Map<string, number>();
  /** The vCPU that a function's interrupt goes to. */
  private readonly routes = new Map<string, string>();
  private readonly mapped: readonly Set<number>[] = Array.from({ length: VMS }, () => new Set<number>());
  private readonly masked = new Set<string>();
  private readonly used = new Map<string, number>();
  /** When the stimuli of the event begin, in turns; what is not part of an event begins at rest. */
  private begins: VmIntent['begins'] = [];
  private turn = 0;

  constructor({ requesters, limits }: Profile) {
    const able = requesters.filter(({ dma, msiCapability }) => dma && msiCapability !== undefined);
    this.names = able.slice(0, FUNCTIONS).map(({ id }) => id);
    this.tokens = limits.tokens;
  }

  /** Functions and pages that nearly every case needs. */
  begin(): void {
    for (let vm = 0; vm < VMS; vm++) {
      this.attach(vm, this.names[vm % this.names.length]!, vm % VCPUS, VECTORS[vm]!);
      for (const page of BEGUN) this.memory(vm, 'map', page);
    }
  }

  event(intent: VmIntent): void {
    const { kind, vm } = intent;
    this.begins = intent.begins;
    this.turn = 0;
    const vcpu = `vm${vm}.vcpu${intent.vcpu}`;
    const vector = VECTORS[intent.vector]!;
    if (kind === 'map' || kind === 'unmap' || kind === 'remap')
      this.memory(vm, kind, this.pageFor(intent, kind !== 'map'));
    else if (kind === 'attach') this.attach(vm, this.functionFor(intent, undefined), intent.vcpu, vector);
    else if (kind === 'detach') this.detach(vm, this.functionFor(intent, vm));
    else if (kind === 'route' || kind === 'mask') this.guest(intent);
    else if (kind === 'read' || kind === 'write') this.dma(intent, kind);
    else if (kind === 'handover') this.handover(intent);
    else if (kind === 'storm') this.storm(intent);
    else if (kind === 'signal') this.add(this.functionFor(intent, vm), 'signal');
    else if (kind === 'tpr') this.add(vcpu, 'tpr', { priority: PRIORITIES[intent.vector % PRIORITIES.length]! });
    else this.add(vcpu, kind);
  }

  /** At the end every function tries pages that somebody mostly has or had. */
  tryEverything(): void {
    this.begins = [];
    for (const name of this.names) for (const page of BEGUN) this.request(name, 'read', page, 0);
  }

  /** At the end every vCPU is ready for whatever may be held for it. */
  letIn(): void {
    this.begins = [];
    for (const name of this.masked) this.add(`vm${this.owners.get(name) ?? 0}.guest`, 'unmask', { function: name });
    for (let vm = 0; vm < VMS; vm++) {
      for (let vcpu = 0; vcpu < VCPUS; vcpu++) {
        const actor = `vm${vm}.vcpu${vcpu}`;
        this.add(actor, 'tpr', { priority: 0 });
        for (const action of ['eoi', 'eoi', 'accept', 'eoi', 'accept', 'eoi', 'accept']) this.add(actor, action);
      }
    }
  }

  private memory(vm: number, action: 'map' | 'unmap' | 'remap', page: number): void {
    const pages = this.mapped[vm]!;
    if (action === 'map') pages.add(page);
    if (action === 'unmap') pages.delete(page);
    this.add(`vm${vm}`, action, { page });
  }

  private attach(vm: number, name: string, vcpu: number, vector: number): void {
    if (!this.owners.has(name)) {
      this.owners.set(name, vm);
      this.routes.set(name, `vm${vm}.vcpu${vcpu}`);
    }
    this.add(`vm${vm}`, 'attach', { function: name, vcpu, vector });
  }

  private detach(vm: number, name: string): void {
    if (this.owners.get(name) === vm) this.owners.delete(name);
    this.masked.delete(name);
    this.add(`vm${vm}`, 'detach', { function: name });
  }

  /** A function goes from one VM to the other, or both ask for it, and tries its memory meanwhile. */
  private handover(intent: VmIntent): void {
    const name = this.names[intent.function % this.names.length]!;
    const page = BEGUN[intent.page % BEGUN.length]!;
    const owner = this.owners.get(name);
    if (owner === undefined) this.attach(intent.vm, name, intent.vcpu, VECTORS[intent.vector]!);
    else this.detach(owner, name);
    this.attach(((owner ?? intent.vm) + 1) % VMS, name, intent.vcpu, VECTORS[intent.vector]!);
    for (const direction of ['write', 'read'] as const) this.request(name, direction, page, 0);
  }

  /** Events with a vCPU that takes them in between, around a change of where they go. */
  private storm(intent: VmIntent): void {
    const name = this.functionFor(intent, intent.vm);
    const vcpu = this.routes.get(name) ?? `vm${intent.vm}.vcpu${intent.vcpu}`;
    // An interrupt takes few steps.
    this.begins = intent.begins.map((begins) => (typeof begins === 'number' ? begins % 3 : begins));
    if (intent.aim !== 1) this.add(name, 'signal');
    if (intent.aim % 2 === 0) this.add(vcpu, 'accept');
    if (intent.aim % 4 < 2) this.add(name, 'signal');
    if (intent.vector < 2) this.detach(intent.vm, name);
    else if (intent.vector < 5) this.guest({ ...intent, kind: intent.vector < 4 ? 'mask' : 'route' });
    if (intent.aim < 4) this.add(vcpu, 'accept');
    this.add(name, 'signal');
    this.add(vcpu, 'eoi');
    this.add(vcpu, 'accept');
  }

  /** The guest masks an interrupt, unmasks one that it has masked, or sends it elsewhere. */
  private guest(intent: VmIntent): void {
    const name = this.functionFor(intent, intent.vm);
    const actor = `vm${intent.vm}.guest`;
    if (intent.kind === 'route') {
      this.routes.set(name, `vm${intent.vm}.vcpu${intent.vcpu}`);
      this.add(actor, 'route', { function: name, vcpu: intent.vcpu, vector: VECTORS[intent.vector]! });
      return;
    }
    const unmask = this.masked.delete(name);
    if (!unmask) this.masked.add(name);
    this.add(actor, unmask ? 'unmask' : 'mask', { function: name });
  }

  private dma(intent: VmIntent, direction: 'read' | 'write'): void {
    const name = this.names[intent.function % this.names.length]!;
    const owner = this.owners.get(name);
    const page = owner === undefined ? PAGES[intent.page]! : this.pageFor({ ...intent, vm: owner }, true);
    this.request(name, direction, page, ((intent.vector * 11 + intent.aim) % PLACES) * (4096 / PLACES));
  }

  /** Each function has so many tokens a direction; without one there is no request. */
  private request(name: string, direction: 'read' | 'write', page: number, offset: number): void {
    const key = `${name} ${direction}`;
    const token = this.used.get(key) ?? 0;
    if (token >= this.tokens) return;
    this.used.set(key, token + 1);
    this.add(name, direction, { page, offset, bytes: BYTES, token });
  }

  /** A page that is mapped, or one that is not; now and then any. */
  private pageFor({ vm, page, aim }: VmIntent, mapped: boolean): number {
    const fitting = PAGES.filter((each) => this.mapped[vm]!.has(each) === mapped);
    const from = aim === 0 || fitting.length === 0 ? PAGES : fitting;
    return from[page % from.length]!;
  }

  /** A function that the VM has, or with `undefined` one that nobody has; now and then any. */
  private functionFor({ function: index, aim }: VmIntent, owner: number | undefined): string {
    const fitting = this.names.filter((name) => this.owners.get(name) === owner);
    const from = aim === 0 || fitting.length === 0 ? this.names : fitting;
    return from[index % from.length]!;
  }

  private add(actor: string, action: string, given: Stimulus['arguments'] = {}): void {
    const begins = this.begins[this.turn % this.begins.length];
    this.turn += 1;
    this.stimuli.push({ actor, action, arguments: given, ...(begins === undefined ? {} : { begins }) });
  }
}

/** Resolves a case; at its end functions try what they can reach, or vCPUs take what is held for them. */
export function buildVmCase(profile: Profile, { intents, schedule }: VmCase, end: 'reach' | 'interrupts'): Built {
  const plan = new Plan(profile);
  plan.begin();
  for (const intent of intents) plan.event(intent);
  if (end === 'reach') plan.tryEverything();
  else plan.letIn();
  const software = { name: SOFTWARE, configuration: {} };
  const choices = schedule.flatMap(({ after, choice }) => [...Array.from({ length: after }, () => 0), choice]);
  const scenario = { level: 'stimuli', start: 'ready', software, stimuli: plan.stimuli, schedule: choices } as const;
  return { scenario, labels: {} };
}
