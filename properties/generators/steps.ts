import { CONTEXT_ENTRY, INTERRUPT_RANGE, ROOT_ENTRY, SECOND_STAGE_ENTRY, TABLE_MODE } from '../../spec/layout/vtd.js';
import { breakChain, breakContext, type Probe } from './breaks.js';
import { FRAME, withField } from './capabilities.js';
import { type Corruption, corrupted, type EntryKind } from './corrupt.js';
import { ADDRESS_MASK, covers } from './entries.js';
import type { Act, RequestIntent, Step } from './intents.js';
import { invalidate } from './invalidate.js';
import type { Domain, Mapping, Seat } from './plan.js';
import type { Shape, Stage } from './stage.js';
import { attach, mapPages } from './world.js';

/** TTM values in which no request gets through: not valid on this unit, or abort-DMA mode. */
function badModes(stage: Stage): number[] {
  const { reserved, scalable, abort } = TABLE_MODE;
  return [reserved, ...(stage.plan.platform.scalable ? [] : [scalable]), abort];
}

/** A root table mode that blocks every request. */
export function badMode(stage: Stage, pick: number): number {
  const modes = badModes(stage);
  return modes[pick % modes.length]!;
}

/** The requester's domain; one that has none is attached to a domain first. */
function domainFor(stage: Stage, seat: Seat, pick: number): Domain | undefined {
  if (stage.plan.domains.length === 0) return undefined;
  const domain = stage.plan.domainOf(seat);
  if (domain !== undefined) return domain;
  stage.plan.attach(seat, { domain: pick % stage.plan.domains.length, faultDisable: false });
  return stage.plan.domainOf(seat);
}

function probeShape(stage: Stage, mapping: Mapping, request: RequestIntent, probe: Probe): Shape {
  const shape = stage.inMapping(mapping, request);
  // A zero-length read stays one.
  if (shape.bytes === 0) return { ...shape, address: probe.address ?? shape.address };
  return {
    ...shape,
    address: probe.address ?? shape.address,
    bytes: probe.bytes ?? shape.bytes,
    write: probe.write ?? shape.write,
  };
}

function doBreak(stage: Stage, step: Extract<Step, { act: 'break' }>): void {
  const { plan } = stage;
  const seat = plan.seat(step.who);
  const domain = domainFor(stage, seat, step.request.pick);
  const mapping = domain === undefined ? undefined : stage.mapping(domain, step.request.pick);
  if (mapping === undefined) return;
  const probe = breakChain({ plan, seat, mapping, detail: step.detail }, step.aim);
  if (probe === undefined) return;
  const shape = probeShape(stage, mapping, step.request, probe);
  if (probe.before !== undefined) stage.send(seat, { ...shape, address: probe.before });
  if (step.aim === 'rootUnreadable') withRoot(stage, seat, shape, plan.platform.hole, 0);
  else if (step.aim === 'mode') {
    // Without ESRTPS the mode must not change while translation is on; with a queue, the flush would stop.
    const root = plan.platform.modeSwitch && stage.queue === undefined ? plan.rootAddress : undefined;
    withRoot(stage, seat, shape, root, badMode(stage, step.detail));
  } else stage.send(seat, shape);
  if (!step.keep) plan.repair();
}

/** A request while another root pointer is latched. */
function withRoot(stage: Stage, seat: Seat, shape: Shape, root: bigint | undefined, mode: number): void {
  if (root === undefined) return;
  stage.latchRoot(root, mode);
  stage.send(seat, shape);
  stage.latchRoot(stage.plan.rootAddress);
}

/** The entry that a drawn number names: root, context, or one of the mapping's. */
function entryFor(seat: Seat, mapping: Mapping, pick: number): { kind: EntryKind; word: number; leaf: boolean } {
  const choice = pick % (mapping.entries.length + 2);
  if (choice === 0) return { kind: 'root', word: seat.rootEntry, leaf: false };
  if (choice === 1) return { kind: 'context', word: seat.contextEntry, leaf: false };
  const word = mapping.entries[choice - 2]!;
  return { kind: 'level', word, leaf: word === mapping.entries.at(-1) };
}

/** Corrupts one entry on the way of a mapping. */
export function corruptEntry(stage: Stage, seat: Seat, mapping: Mapping, pick: number, corruption: Corruption): void {
  const { plan } = stage;
  const { memory, platform } = plan;
  const { kind, word, leaf } = entryFor(seat, mapping, pick);
  const words = { low: memory.read(word), high: kind === 'level' ? 0n : memory.read(word + 1) };
  const next = corrupted(platform, kind, words, leaf, corruption);
  // A pointer that now leads to other tables makes words into entries that were none.
  if (!leaf && ((words.low ^ next.low) & ~0xfffn) !== 0n) {
    memory.confused = true;
    memory.stale = true;
  }
  if (kind === 'level') plan.breakEntry(word, next.low);
  else if (kind === 'root') plan.breakPair(word, next.low, next.high);
  else breakContext(plan, seat, next.low, next.high);
}

function doCorrupt(stage: Stage, step: Extract<Step, { act: 'corrupt' }>): void {
  const { plan } = stage;
  const seat = plan.seat(step.who);
  const domain = domainFor(stage, seat, step.request.pick);
  const mapping = domain === undefined ? undefined : stage.mapping(domain, step.request.pick);
  if (mapping === undefined) return;
  corruptEntry(stage, seat, mapping, step.entry, step.corruption);
  const shape = stage.inMapping(mapping, step.request);
  stage.send(seat, { ...shape, write: false });
  stage.send(seat, { ...shape, write: true });
  if (!step.keep) plan.repair();
}

/** Reads the same tables with another number of levels, under a domain id of its own. */
function reinterpret(stage: Stage, step: Extract<Step, { act: 'reinterpret' }>): void {
  const { plan } = stage;
  const seat = plan.seat(step.who);
  const { widths } = plan.platform;
  if (plan.domainOf(seat) === undefined || widths.length < 2) return;
  const { memory } = plan;
  const aw = BigInt(widths[step.pick % widths.length]!.aw);
  const low = memory.read(seat.contextEntry);
  breakContext(plan, seat, low, (memory.read(seat.contextEntry + 1) & ~7n) | aw);
  memory.confused = true;
  stage.send(seat, stage.shapeOf(seat, step.request));
  plan.repair();
}

function reroot(stage: Stage, step: Extract<Step, { act: 'reroot' }>): void {
  const { plan } = stage;
  const { memory } = plan;
  const seat = plan.seat(step.who);
  const table = memory.takeTable();
  if (table === undefined) return;
  if (!step.empty) {
    const copy = table * 512 + (seat.rootEntry % 512);
    memory.setPair(copy, memory.read(seat.rootEntry), memory.read(seat.rootEntry + 1));
  }
  const shape = stage.shapeOf(seat, step.request);
  withRoot(stage, seat, shape, memory.frameAddress(table), 0);
}

function changeLeaf(stage: Stage, who: number, pick: number, change: (domain: Domain, mapping: Mapping) => void): void {
  const domain = stage.plan.domainOf(stage.plan.seat(who));
  const mapping = domain === undefined ? undefined : stage.mapping(domain, pick);
  if (domain !== undefined && mapping !== undefined) change(domain, mapping);
}

function setRights(stage: Stage, step: Extract<Step, { act: 'rights' }>): void {
  changeLeaf(stage, step.who, step.pick, (_, mapping) => {
    const word = mapping.entries[step.level % mapping.entries.length]!;
    const value = stage.plan.memory.read(word);
    stage.plan.breakEntry(word, (value & ~3n) | BigInt(step.rights));
  });
}

function remap(stage: Stage, step: Extract<Step, { act: 'remap' }>): void {
  const { plan } = stage;
  changeLeaf(stage, step.who, step.pick, (_, mapping) => {
    mapping.out = plan.pageOfData(plan.memory.dataFrame(step.pick), mapping.level);
    const leaf = mapping.entries.at(-1)!;
    plan.putEntry(leaf, (plan.memory.read(leaf) & ~ADDRESS_MASK) | (mapping.out & ~(covers(mapping.level) - 1n)));
  });
}

function detach(stage: Stage, step: Extract<Step, { act: 'detach' }>): void {
  const { plan } = stage;
  const seat = plan.seat(step.who);
  const word = step.bus ? seat.rootEntry : seat.contextEntry;
  const present = step.bus ? ROOT_ENTRY.fields.P : CONTEXT_ENTRY.fields.P;
  plan.breakPair(word, withField(plan.memory.read(word), present, 0n), plan.memory.read(word + 1));
}

function setQuiet(stage: Stage, { who, on }: Extract<Step, { act: 'quiet' }>): void {
  const { plan } = stage;
  const seat = plan.seat(who);
  const { memory } = plan;
  if (seat.attachment !== undefined) seat.attachment = { ...seat.attachment, faultDisable: on };
  const low = withField(memory.read(seat.contextEntry), CONTEXT_ENTRY.fields.FPD, on ? 1n : 0n);
  plan.putContext(seat, low, memory.read(seat.contextEntry + 1));
}

type Performers = { readonly [A in Act]: (stage: Stage, step: Extract<Step, { act: A }>) => void };

const PERFORM: Performers = {
  dma: (stage, { who, request }) => {
    const seat = stage.plan.seat(who);
    stage.send(seat, stage.shapeOf(seat, request));
  },
  map: (stage, { who, page }) => {
    const domain = stage.plan.domainOf(stage.plan.seat(who));
    if (domain !== undefined) mapPages(stage, domain, page);
  },
  unmap: (stage, { who, pick, rest }) => {
    changeLeaf(stage, who, pick, (domain, mapping) => {
      stage.plan.unmap(domain, mapping, BigInt(rest) & ~3n);
    });
  },
  rights: setRights,
  remap,
  attach: (stage, step) => {
    attach(stage, stage.plan.seat(step.who), step.attach.to, step.attach.quiet);
  },
  detach,
  quiet: setQuiet,
  break: doBreak,
  corrupt: doCorrupt,
  repair: (stage) => {
    stage.plan.repair();
  },
  split: (stage, { who, pick }) => {
    changeLeaf(stage, who, pick, (domain, mapping) => {
      stage.plan.split(domain, mapping);
    });
  },
  reinterpret,
  interrupt: (stage, { who, page }) => {
    const address = INTERRUPT_RANGE.first + BigInt(page) * FRAME;
    stage.send(stage.plan.seat(who), { address, bytes: 4, write: true });
  },
  reroot,
  collect: (stage, { overflow }) => {
    stage.collect(overflow);
  },
  snoop: (stage, { who, pick, on }) => {
    if (!stage.plan.platform.snoopControl) return;
    changeLeaf(stage, who, pick, (_, mapping) => {
      const leaf = mapping.entries.at(-1)!;
      stage.plan.putEntry(leaf, withField(stage.plan.memory.read(leaf), SECOND_STAGE_ENTRY.fields.SNP, on ? 1n : 0n));
    });
  },
  flush: (stage) => {
    stage.flush();
  },
  invalidate: (stage, { what }) => {
    invalidate(stage, what);
  },
  load: ({ plan, script }, { frame }) => {
    plan.memory.commit(script);
    script.load(plan.memory.frameAddress(plan.memory.dataFrame(frame)), Number(FRAME));
  },
};

/** Does one step. */
export function perform(stage: Stage, step: Step): void {
  // The table has, under each act, the performer of that act.
  (PERFORM[step.act] as (stage: Stage, step: Step) => void)(stage, step);
}
