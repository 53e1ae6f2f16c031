import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { FRAME, type Platform, platformOf, withoutPassThrough } from './generators/capabilities.js';
import { requestArbitrary, slotArbitrary } from './generators/draws.js';
import { contextEntry, PASS_THROUGH, READ_WRITE } from './generators/entries.js';
import type { RequestIntent, SlotIntent } from './generators/intents.js';
import type { Seat } from './generators/plan.js';
import { type Shape, Stage } from './generators/stage.js';

/** What SSPTPTR of an entry with TT=10b holds: nothing, no memory, unused bits, an empty table, or a table that maps. */
const POINTERS = ['zero', 'hole', 'scattered', 'above', 'empty', 'mapping'] as const;

/** Where a request goes: a data frame, the ends of the host's address space, above it, or the end of all addresses. */
const PLACES = ['data', 'mapped', 'last', 'first', 'across', 'above', 'top'] as const;

type Pointer = (typeof POINTERS)[number];
type Place = (typeof PLACES)[number];

/** One thing done to a requester in pass-through. */
export type PassStep =
  | {
      readonly act: 'entry';
      readonly who: number;
      readonly aw: number;
      readonly pointer: Pointer;
      readonly detail: number;
      readonly quiet: boolean;
    }
  | { readonly act: 'dma'; readonly who: number; readonly place: Place; readonly request: RequestIntent };

export interface PassIntents {
  readonly slot: SlotIntent;
  readonly steps: readonly PassStep[];
}

/** AW values: those that the unit has, mostly the largest, and rarely one that it has not. */
function widthValues(platform: Platform): readonly number[] {
  const own = platform.widths.map(({ aw }) => aw);
  const largest = Math.max(...own);
  return [...Array.from({ length: 8 }, () => largest), ...own, 0, 1, 2, 3, 4, 7];
}

function steps(platform: Platform): Arbitrary<PassStep> {
  const who = fc.nat(Math.max(0, platform.requesters.length - 1));
  const entry = fc.record({
    act: fc.constant('entry'),
    who,
    aw: fc.constantFrom(...widthValues(platform)),
    pointer: fc.constantFrom(...POINTERS, 'mapping', 'hole', 'scattered'),
    detail: fc.nat(0xffff),
    quiet: fc.nat(15).map((n) => n === 0),
  });
  const dma = fc.record({
    act: fc.constant('dma'),
    who,
    place: fc.constantFrom('data', 'data', 'mapped', ...PLACES, 'above'),
    request: requestArbitrary(),
  });
  return fc.oneof({ weight: 1, arbitrary: entry }, { weight: 4, arbitrary: dma });
}

/** A case in the making: every requester is in pass-through, and beside it lies a domain whose table maps. */
class PassCase {
  readonly stage: Stage;
  readonly #mapped: bigint;
  readonly #table: bigint;
  readonly #empty: bigint;

  constructor(platform: Platform, slot: SlotIntent) {
    this.stage = new Stage(platform, [slot], 0);
    const { plan, script } = this.stage;
    plan.memory.zeroTables(script);
    const domain = plan.addDomain(platform.widths.at(-1)!, plan.freeDomainId(3n))!;
    // The address of a data frame, as input, leads to another one: who walks the table is seen to.
    this.#mapped = plan.memory.frameAddress(plan.memory.dataFrame(7));
    plan.map(domain, this.#mapped, 1, READ_WRITE, plan.memory.frameAddress(plan.memory.dataFrame(9)));
    this.#table = plan.memory.frameAddress(domain.root);
    this.#empty = plan.memory.frameAddress(plan.memory.takeTable() ?? domain.root);
    for (const seat of plan.seats) plan.attach(seat, { domain: undefined, faultDisable: false });
    this.stage.latchRoot(plan.rootAddress);
  }

  #pointer(pointer: Pointer, detail: number): bigint {
    const { platform } = this.stage.plan;
    const hole = platform.hole ?? 0n;
    switch (pointer) {
      case 'zero':
        return 0n;
      case 'hole':
        return hole;
      case 'scattered':
        return hole === 0n ? this.#empty : hole + BigInt(detail & 0x3ff) * FRAME * 8n;
      case 'above':
        return hole | (1n << BigInt(platform.hostBits + (detail % (64 - platform.hostBits))));
      case 'empty':
        return this.#empty;
      case 'mapping':
        return this.#table;
    }
  }

  /** Gives a requester another pass-through entry, under a domain id of its own. */
  entry(seat: Seat, aw: number, pointer: Pointer, detail: number, quiet: boolean): void {
    const { plan } = this.stage;
    const [low, high] = contextEntry({
      type: PASS_THROUGH,
      faultDisable: quiet,
      table: this.#pointer(pointer, detail),
      aw,
      domainId: plan.freeDomainId(BigInt(plan.seats.indexOf(seat) + 5)),
    });
    plan.putContext(seat, low, high);
    if (aw !== Math.max(...plan.platform.widths.map((width) => width.aw)) || pointer === 'above') {
      this.stage.count('made:odd-entry');
    }
  }

  #place(place: Place, request: RequestIntent, shape: Shape): bigint {
    const { plan } = this.stage;
    const { hostBits } = plan.platform;
    const offset = shape.address & (FRAME - 1n);
    const data = plan.memory.frameAddress(plan.memory.dataFrame(request.pick)) + offset;
    const end = 1n << BigInt(hostBits);
    switch (place) {
      case 'data':
        return data;
      case 'mapped':
        return this.#mapped + offset;
      case 'last':
        return end - BigInt(shape.bytes);
      case 'first':
        return end;
      case 'across':
        return end - BigInt(shape.bytes >> 1);
      case 'above':
        return data | (1n << BigInt(hostBits + (request.offset % (64 - hostBits))));
      case 'top':
        return (1n << 64n) - BigInt(shape.bytes);
    }
  }

  dma(seat: Seat, place: Place, request: RequestIntent): void {
    const shape = this.stage.shapeOf(seat, { ...request, to: 'mapped' });
    const address = this.#place(place, request, shape);
    if (place === 'above' || place === 'first' || place === 'top') this.stage.count('made:above');
    this.stage.send(seat, { ...shape, address });
  }

  finish(): Built {
    this.stage.finish();
    const { script, labels } = this.stage;
    return { scenario: { level: 'operations', start: 'ready', operations: script.operations }, labels };
  }
}

function build(profile: Profile, { slot, steps: drawn }: PassIntents): Built {
  const made = new PassCase(platformOf(profile), slot);
  const { plan } = made.stage;
  for (const step of drawn) {
    const seat = plan.seat(step.who);
    if (step.act === 'dma') made.dma(seat, step.place, step.request);
    else made.entry(seat, step.aw, step.pointer, step.detail, step.quiet);
  }
  return made.finish();
}

const SLOT: SlotIntent = { edge: 1, share: 0, indices: [3, 5, 7, 9, 11] };

/** Values of the AW field. */
const WIDTH_VALUES = 8;

/** Every AW with every kind of SSPTPTR, and a request to every place, reading and writing. */
function buildPoint(profile: Profile, index: number): Built {
  const made = new PassCase(platformOf(profile), SLOT);
  const seat = made.stage.plan.seat(index);
  made.entry(seat, index % WIDTH_VALUES, POINTERS[Math.floor(index / WIDTH_VALUES)]!, index, false);
  for (const place of PLACES) {
    for (const write of [false, true]) {
      made.dma(seat, place, { pick: 11, to: 'mapped', place: 'inside', length: 3, offset: index, write });
    }
  }
  return made.finish();
}

/** With TT=10b a request goes where it says, or nowhere. */
export const passThrough: Property<PassIntents> = {
  id: 'pass-through',
  claim:
    'A pass-through request goes to its own address below 2^HAW, whatever AW and SSPTPTR hold, and is refused with 4h from there on.',
  clauses: ['VTD-CTX-009', 'VTD-CTX-015', 'VTD-PT-002', 'VTD-CROSS-001'],
  notApplicable: withoutPassThrough,
  sweep: (profile) => ({ size: WIDTH_VALUES * POINTERS.length, at: (index) => buildPoint(profile, index) }),
  intents: (profile) =>
    fc.noBias(
      fc.record({
        slot: slotArbitrary(),
        steps: fc.array(steps(platformOf(profile)), { minLength: 8, maxLength: 24, size: 'max' }),
      }),
    ),
  build,
  minimumShares: () => ({
    read: 0.1,
    write: 0.1,
    'pass-through': 0.2,
    'made:above': 0.2,
    'made:odd-entry': 0.02,
  }),
};
