import fc from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { History } from '../spec/interface/scenario.js';
import type { Built, Property, Violation } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { requestArbitrary, slotArbitrary } from './generators/draws.js';
import { READ_WRITE } from './generators/entries.js';
import type { RequestIntent, SlotIntent } from './generators/intents.js';
import { PAGE_LABELS } from './generators/labels.js';
import type { Mapping, Seat } from './generators/plan.js';
import { type Shape, Stage } from './generators/stage.js';

/** What is drawn: a superpage, the places probed in it, and how far it is split. */
export interface SplitIntents {
  readonly slot: SlotIntent;
  readonly width: number;
  /** Level of the superpage among those that the profile has: 0 for the smallest. */
  readonly size: number;
  readonly who: number;
  readonly sharer: number;
  /** Written before anything is read. */
  readonly writes: readonly RequestIntent[];
  readonly probes: readonly RequestIntent[];
  /** Split one of the pieces again, where a piece is still a superpage. */
  readonly again: boolean;
  readonly writeBetween: boolean;
}

/** Two reads of the same place, as indices of operations. */
export interface Pair {
  readonly before: number;
  readonly after: number;
}

function largeLevels(profile: Profile): number[] {
  return platformOf(profile).leafLevels.filter((level) => level > 1);
}

/** Reads every probe; the indices are `undefined` where a read was withheld. */
function readAll(stage: Stage, seat: Seat, shapes: readonly Shape[]): (number | undefined)[] {
  return shapes.map((shape) => stage.send(seat, { ...shape, write: false }));
}

function splitIn(stage: Stage, mapping: Mapping, again: boolean): void {
  const [domain] = stage.plan.domains;
  if (domain === undefined) return;
  stage.plan.split(domain, mapping);
  const piece = domain.mappings.find((each) => each.level > 1);
  if (again && piece !== undefined) stage.plan.split(domain, piece);
}

function build(profile: Profile, intents: SplitIntents): Built {
  const platform = platformOf(profile);
  const stage = new Stage(platform, [intents.slot], 0);
  const { plan, script } = stage;
  const levels = largeLevels(profile);
  const level = levels[intents.size % levels.length]!;
  plan.memory.zeroTables(script);
  const width = platform.widths[intents.width % platform.widths.length]!;
  const domain = plan.addDomain(width, plan.freeDomainId(7n))!;
  const page = plan.pageOfData(plan.memory.dataFrame(0), level);
  const mapping = plan.map(domain, stage.slotAddress(domain, 0, level), level, READ_WRITE, page)!;
  const seat = plan.seat(intents.who);
  const sharer = plan.seat(intents.sharer);
  plan.attach(seat, { domain: 0, faultDisable: false });
  plan.attach(sharer, { domain: 0, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  for (const write of intents.writes) stage.send(seat, { ...stage.inMapping(mapping, write), write: true });
  const shapes = intents.probes.map((probe) => stage.inMapping(mapping, probe));
  const before = readAll(stage, seat, shapes);
  splitIn(stage, mapping, intents.again);
  const after = readAll(stage, sharer, shapes);
  if (intents.writeBetween) for (const shape of shapes) stage.send(sharer, { ...shape, write: true });
  stage.finish();
  const pairs: Pair[] = [];
  before.forEach((first, n) => {
    const second = after[n];
    if (first !== undefined && second !== undefined) pairs.push({ before: first, after: second });
  });
  return {
    scenario: { level: 'operations', start: 'ready', operations: script.operations },
    labels: { ...stage.labels, [`made:split:${PAGE_LABELS[level - 1]}`]: 1 },
    expectation: pairs,
  };
}

function dataOf(history: History, at: number): Uint8Array | undefined {
  const observation = history.steps[at]?.observation;
  return observation?.of === 'dma' ? observation.data : undefined;
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

/** The first pair of reads that differ. */
export function changedBySplit(history: History, pairs: readonly Pair[]): Violation | undefined {
  for (const { before, after } of pairs) {
    const first = dataOf(history, before);
    const second = dataOf(history, after);
    if (first === undefined || second === undefined || hex(first) === hex(second)) continue;
    return {
      clause: 'VTD-SS-024',
      discriminator: 'read differs after the superpage was split',
      at: after,
      expected: hex(first),
      observed: hex(second),
    };
  }
  return undefined;
}

/** Splitting changes no translation. */
export const superpageSplit: Property<SplitIntents> = {
  id: 'superpage-split',
  claim: 'Splitting a superpage into smaller pages that map the same changes no translation.',
  clauses: ['VTD-SS-001', 'VTD-SS-002', 'VTD-SS-012', 'VTD-SS-013', 'VTD-SS-024'],
  notApplicable: (profile) =>
    unsuitable(profile) ?? (largeLevels(profile).length === 0 ? 'no superpages (CAP.SSLPS is 0)' : undefined),
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        width: fc.nat(2),
        size: fc.nat(1),
        who: fc.nat(7),
        sharer: fc.nat(7),
        writes: fc.array(requestArbitrary(), { maxLength: 3, size: 'max' }),
        probes: fc.array(requestArbitrary(), {
          minLength: 2,
          maxLength: Math.min(6, profile.limits.tokens >> 1),
          size: 'max',
        }),
        again: fc.boolean(),
        writeBetween: fc.boolean(),
      }),
    ),
  build,
  violated: (history, built) => changedBySplit(history, built.expectation as readonly Pair[]),
  minimumShares: (profile) =>
    Object.fromEntries(
      ['read', 'crossing', ...largeLevels(profile).map((level) => PAGE_LABELS[level - 1]!)].map((label) => [
        label,
        0.05,
      ]),
    ),
};
