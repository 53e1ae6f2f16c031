import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { type Platform, platformOf, unsuitable } from './generators/capabilities.js';
import { requestArbitrary, slotArbitrary } from './generators/draws.js';
import { contextEntry, READ_WRITE, rootLow } from './generators/entries.js';
import type { RequestIntent, SlotIntent } from './generators/intents.js';
import { FRAME_WORDS } from './generators/memory.js';
import { Stage } from './generators/stage.js';

/** One command, or what shows that it took effect. */
export type CommandStep =
  | { readonly act: 'dma'; readonly who: number; readonly request: RequestIntent }
  | { readonly act: 'pointer'; readonly root: number; readonly halves: boolean; readonly odd: number }
  | { readonly act: 'latch'; readonly root: number }
  | { readonly act: 'again' }
  | { readonly act: 'translation'; readonly on: boolean; readonly root: number; readonly early: boolean }
  | { readonly act: 'same' }
  | { readonly act: 'queue'; readonly on: boolean; readonly early: boolean }
  | { readonly act: 'flush' }
  | { readonly act: 'writeBuffer' }
  | { readonly act: 'interrupts' }
  | { readonly act: 'status' };

export interface CommandIntents {
  readonly slots: readonly SlotIntent[];
  readonly start: number;
  readonly steps: readonly CommandStep[];
}

/** Of 1000 cases, how many start from reset. */
const FROM_RESET = 150;

/** Root tables: each leads every requester to a domain of its own. */
const ROOTS = 2;

/**
 * RTADDR values that nobody latches: far away, with an address that may not exist, with a mode. Whether a mode that is
 * only written counts for the queue is not said, so that the last is left out where there is one.
 */
const ODD_POINTERS = [undefined, undefined, 0xffff_ffff_f000n, 0x0040_0000n, 0x0010_0c00n] as const;

function steps(platform: Platform): Arbitrary<CommandStep> {
  const who = fc.nat(Math.max(0, platform.requesters.length - 1));
  const root = fc.nat(ROOTS - 1);
  const on = fc.boolean();
  const remapping = platform.queue && platform.interruptRemapping ? 2 : 0;
  const odd = fc.nat(ODD_POINTERS.length - (platform.queue ? 2 : 1));
  return fc.oneof(
    { weight: 14, arbitrary: fc.record({ act: fc.constant('dma'), who, request: requestArbitrary() }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('pointer'), root, halves: fc.boolean(), odd }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('latch'), root }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('again') }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('translation'), on, root, early: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('same') }) },
    { weight: platform.queue ? 4 : 0, arbitrary: fc.record({ act: fc.constant('queue'), on, early: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('flush') }) },
    { weight: platform.writeBuffer ? 3 : 0, arbitrary: fc.record({ act: fc.constant('writeBuffer') }) },
    { weight: remapping, arbitrary: fc.record({ act: fc.constant('interrupts') }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('status') }) },
  );
}

/** A root table that leads every requester to a domain, with context tables of its own. */
function otherRoot(stage: Stage, domain: number): bigint {
  const { plan } = stage;
  const { memory } = plan;
  const root = memory.takeTable() ?? 0;
  const tables = new Map<number, number>();
  for (const { requester } of plan.seats) {
    const bus = requester.routingId >> 8;
    const table = tables.get(bus) ?? memory.takeTable() ?? 0;
    tables.set(bus, table);
    memory.setPair(root * FRAME_WORDS + 2 * bus, rootLow(memory.frameAddress(table)), 0n);
    const [low, high] = contextEntry(plan.contextFields({ domain, faultDisable: false }));
    memory.setPair(table * FRAME_WORDS + 2 * (requester.routingId & 0xff), low, high);
  }
  return memory.frameAddress(root);
}

/** A case in the making. */
class CommandCase {
  readonly stage: Stage;
  readonly #roots: readonly bigint[];
  /** RTADDR holds what is latched. */
  #written: boolean;

  constructor(stage: Stage, start: 'reset' | 'ready') {
    this.stage = stage;
    const { plan, script } = stage;
    plan.memory.zeroTables(script);
    const width = plan.platform.widths.at(-1)!;
    const frame = (): bigint => plan.memory.frameAddress(plan.memory.takeData());
    for (let n = 0; n < ROOTS; n++) {
      const domain = plan.addDomain(width, plan.freeDomainId(BigInt(3 + n)))!;
      for (const slot of [0, 1]) plan.map(domain, stage.slotAddress(domain, slot, 1), 1, READ_WRITE, frame());
    }
    for (const seat of plan.seats) plan.attach(seat, { domain: 0, faultDisable: false });
    this.#roots = [plan.rootAddress, otherRoot(stage, 1)];
    plan.memory.commit(script);
    stage.enabled = start === 'ready';
    this.#written = stage.enabled;
    if (start === 'ready') stage.latchRoot(plan.rootAddress);
  }

  /** DMA goes to mapped pages; without translation, to data frames by their own address. */
  #send(who: number, request: RequestIntent): void {
    const { plan } = this.stage;
    const seat = plan.seat(who);
    const domain = plan.domains[0]!;
    const mapping = domain.mappings[request.pick % domain.mappings.length]!;
    const shape = this.stage.inMapping(mapping, request);
    const data = plan.memory.frameAddress(plan.memory.dataFrame(request.pick));
    const straight = { ...shape, address: data + (shape.address & 0xfffn) };
    this.stage.send(seat, this.stage.enabled ? shape : straight);
  }

  /** Writes RTADDR and leaves it at that. */
  #point(step: Extract<CommandStep, { act: 'pointer' }>): void {
    const { script } = this.stage;
    const value = ODD_POINTERS[step.odd] ?? this.#roots[step.root]!;
    if (step.halves) {
      script.write('RTADDR', 4, value & 0xffff_ffffn);
      script.write('RTADDR', 4, value >> 32n, { offset: 4 });
    } else script.write('RTADDR', 8, value);
    this.#written = false;
    script.read('RTADDR', 8);
  }

  #latch(root: number): void {
    this.stage.latchRoot(this.#roots[root]!);
    this.#written = true;
  }

  #translate(on: boolean, root: number, early: boolean): void {
    const { plan, script } = this.stage;
    if (on === this.stage.enabled) return;
    // A root is to be latched before translation is turned on again, too.
    if (on) this.#latch(root);
    else this.stage.settle();
    this.stage.collect();
    if (!early) {
      script.setTranslation(on);
      return;
    }
    // A read that is harmless with translation and without.
    const address = plan.memory.frameAddress(plan.memory.dataFrame(root));
    script.setTranslation(on, () => this.stage.sendQuietly(plan.seat(root), { address, bytes: 16, write: false }));
    this.stage.collect();
  }

  /** Interrupt remapping on, by an empty table, or off. */
  #switchInterrupts(): void {
    const { script } = this.stage;
    if (script.remappingInterrupts) script.setInterruptRemapping(false);
    else this.stage.remapInterrupts();
    script.read('GSTS', 4);
  }

  #switchQueue(on: boolean, early: boolean): void {
    const { queue, script } = this.stage;
    if (queue === undefined || on === script.queueEnabled) return;
    if (!on) {
      // Interrupt remapping needs the queue.
      if (script.remappingInterrupts) script.setInterruptRemapping(false);
      script.read('IQH', 8);
      queue.disable();
    } else {
      // What is between head and tail while the queue is off is not done, and forgotten before it is on.
      if (early) {
        queue.program();
        queue.awaitOff();
      }
      queue.enable();
    }
    script.read('IQH', 8);
    script.read('IQT', 8);
  }

  perform(step: CommandStep): void {
    const { script } = this.stage;
    switch (step.act) {
      case 'dma':
        this.#send(step.who, step.request);
        return;
      case 'pointer':
        this.#point(step);
        return;
      case 'latch':
        this.#latch(step.root);
        return;
      case 'again':
        if (!this.#written) return;
        // Software that writes GSTS back latches the same root once more.
        script.latch();
        this.stage.flush();
        return;
      case 'translation':
        this.#translate(step.on, step.root, step.early);
        return;
      case 'same':
        script.command();
        script.read('GSTS', 4);
        return;
      case 'queue':
        this.#switchQueue(step.on, step.early);
        return;
      case 'flush':
        this.stage.flush();
        return;
      case 'writeBuffer':
        script.flushWriteBuffer();
        return;
      case 'interrupts':
        this.#switchInterrupts();
        return;
      case 'status':
        script.read('GSTS', 4);
        script.read('RTADDR', 8);
        return;
    }
  }
}

function build(profile: Profile, intents: CommandIntents): Built {
  const platform = platformOf(profile);
  const stage = new Stage(platform, intents.slots, 0, platform.queue ? 'off' : undefined);
  const start = intents.start < FROM_RESET ? 'reset' : 'ready';
  const commands = new CommandCase(stage, start);
  if (start === 'reset') stage.script.read('GSTS', 4);
  for (const step of intents.steps) commands.perform(step);
  stage.finish(intents.start % 32 === 5);
  return { scenario: { level: 'operations', start, operations: stage.script.operations }, labels: stage.labels };
}

/** Commands take effect when their status says so, and not before they are given. */
export const globalCommands: Property<CommandIntents> = {
  id: 'global-commands',
  claim:
    'A global command takes effect when its status says so: a root pointer is used once it is latched, translation and the queue are on or off as GSTS tells.',
  clauses: [
    'VTD-REG-002',
    'VTD-REG-005',
    'VTD-REG-013',
    'VTD-GCMD-001',
    'VTD-GCMD-002',
    'VTD-GCMD-003',
    'VTD-GCMD-004',
    'VTD-GCMD-006',
    'VTD-GCMD-007',
    'VTD-GCMD-008',
    'VTD-GCMD-009',
    'VTD-GCMD-010',
    'VTD-GCMD-015',
    'VTD-GCMD-017',
    'VTD-QI-001',
    'VTD-QI-002',
  ],
  notApplicable: unsuitable,
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slots: fc.array(slotArbitrary(), { minLength: 2, maxLength: 2, size: 'max' }),
        start: fc.nat(999),
        steps: fc.array(steps(platformOf(profile)), { minLength: 8, maxLength: 24, size: 'max' }),
      }),
    ),
  build,
  minimumShares: () => ({ read: 0.05, write: 0.05, crossing: 0.02 }),
};
