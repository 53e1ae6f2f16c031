import type { DmaOperation } from '../spec/interface/operations.js';
import type { Profile } from '../spec/interface/profile.js';
import type { History, Step } from '../spec/interface/scenario.js';
import { FRAME_BYTES, TOKEN_BYTES, tokenByte } from '../spec/layout/tokens.js';
import type { Property, Violation } from '../src/harness/property.js';
import { FRAME, platformOf, unsuitable } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { type Reachable, reachable, rootsOf } from './generators/reach.js';
import { Versions } from './generators/versions.js';

const CLAUSE = 'VTD-FLT-001';

const RECIPE: Recipe = {
  weights: {
    dma: 8,
    corrupt: 8,
    break: 2,
    map: 2,
    unmap: 1,
    rights: 1,
    remap: 2,
    attach: 2,
    detach: 1,
    quiet: 1,
    repair: 1,
    reinterpret: 1,
    reroot: 1,
    flush: 1,
    load: 1,
  },
  targets: { foreign: 20, slot: 10 },
  aims: { mode: 0, rootUnreadable: 0, interruptRange: 0 },
  // A superpage holds the whole arena, and then nothing is left to be isolated.
  largePagesOneIn: 24,
};

interface Write {
  readonly operation: DmaOperation;
  /** Position of the requester in the profile. */
  readonly position: number;
}

/** Writes by the offsets in a page that they cover. */
type Lookup = ReadonlyMap<number, readonly Write[]>;

/** Every write so far, by the offsets in a page that it covers: translation keeps them. */
function byOffset(writes: readonly Write[]): Lookup {
  const map = new Map<number, Write[]>();
  for (const write of writes) {
    const start = Number(write.operation.address & (FRAME - 1n));
    for (let n = 0; n < write.operation.bytes; n++) {
      const offset = (start + n) % FRAME_BYTES;
      const at = map.get(offset);
      if (at === undefined) map.set(offset, [write]);
      else at.push(write);
    }
  }
  return map;
}

/** Whether a write would leave this byte at this page offset. */
function leaves({ operation, position }: Write, offset: number, byte: number): boolean {
  const index = (offset - Number(operation.address & (FRAME - 1n)) + FRAME_BYTES) % FRAME_BYTES;
  return index < operation.bytes && tokenByte(position, operation.token, index % TOKEN_BYTES) === byte;
}

/** A byte that is not what software stored. */
interface Stray {
  readonly frame: number;
  readonly offset: number;
  readonly byte: number;
  readonly writers: readonly Write[];
}

/** Whether the frame at `at` in the data is as software left it; quick, for nearly all are. */
function untouched(view: DataView, at: number, frame: number, versions: Versions): boolean {
  const content = versions.content(frame);
  if (content !== undefined) {
    for (let n = 0; n < FRAME_BYTES / 4; n++) if (view.getUint32(at + 4 * n, true) !== content[n]) return false;
    return true;
  }
  let [low, high] = versions.paint(frame);
  for (let n = 0; n < FRAME_BYTES; n += 8) {
    if (view.getUint32(at + n, true) !== low || view.getUint32(at + n + 4, true) !== high) return false;
    low = (low + 0x100) >>> 0;
  }
  return true;
}

function straysIn(data: Uint8Array, firstFrame: number, versions: Versions, writes: Lookup): Stray[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const strays: Stray[] = [];
  for (let at = 0; at + FRAME_BYTES <= data.length; at += FRAME_BYTES) {
    const frame = firstFrame + at / FRAME_BYTES;
    if (untouched(view, at, frame, versions)) continue;
    const expected = versions.words(frame);
    for (let offset = 0; offset < FRAME_BYTES; offset++) {
      const byte = data[at + offset]!;
      if (byte === ((expected[offset >> 2]! >>> (8 * (offset & 3))) & 0xff)) continue;
      const writers = (writes.get(offset) ?? []).filter((each) => leaves(each, offset, byte));
      strays.push({ frame, offset, byte, writers });
    }
  }
  return strays;
}

/** Whether a write, sent while nothing was translated, would touch that frame. */
function goesStraight({ operation }: Write, base: bigint, frame: number): boolean {
  const first = operation.address / FRAME;
  const last = (operation.address + BigInt(operation.bytes) - 1n) / FRAME;
  const wanted = base / FRAME + BigInt(frame);
  return first <= wanted && wanted <= last;
}

/** What every requester may reach; a table that DMA may lawfully have changed makes everything reachable. */
function reachOfAll(
  profile: Profile,
  versions: Versions,
  roots: readonly bigint[],
  strays: readonly Stray[],
): (position: number) => Reachable {
  const known = new Map<number, Reachable>();
  const plain = (position: number): Reachable => {
    let reach = known.get(position);
    if (reach === undefined) {
      reach = reachable(profile, versions, roots, profile.requesters[position]!.routingId);
      known.set(position, reach);
    }
    return reach;
  };
  const changed = new Set<number>();
  for (const { frame, writers } of strays) {
    if (writers.some(({ position }) => plain(position).everything || plain(position).frames.has(frame))) {
      changed.add(frame);
    }
  }
  return (position) => {
    const reach = plain(position);
    return [...reach.tables].some((frame) => changed.has(frame)) ? { ...reach, everything: true } : reach;
  };
}

function describe(profile: Profile, frame: number): string {
  return `frame 0x${(profile.arena.base + BigInt(frame) * FRAME).toString(16)}`;
}

function checkLoad(history: History, at: number, versions: Versions, writes: readonly Write[]): Violation | undefined {
  const { profile, start, steps } = history;
  const { operation, observation } = steps[at]!;
  if (operation.op !== 'load' || observation.of !== 'load' || observation.data === undefined) return undefined;
  const first = Number(operation.address - profile.arena.base) / FRAME_BYTES;
  // Only whole frames of the arena are looked at.
  const last = first + operation.bytes / FRAME_BYTES;
  if (first < 0 || last > versions.frames || !Number.isInteger(first)) return undefined;
  const strays = straysIn(observation.data, first, versions, byOffset(writes));
  if (strays.length === 0) return undefined;
  const roots = rootsOf(steps.slice(0, at));
  if (roots === undefined) return undefined;
  const reachOf = reachOfAll(profile, versions, roots, strays);
  for (const { frame, offset, byte, writers } of strays) {
    const lawful = writers.some((write) => {
      const reach = reachOf(write.position);
      const straight = start === 'reset' && goesStraight(write, profile.arena.base, frame);
      return reach.everything || reach.frames.has(frame) || straight;
    });
    if (lawful) continue;
    const where = `byte ${offset} of ${describe(profile, frame)}`;
    const [writer] = writers;
    return {
      clause: CLAUSE,
      discriminator: writer === undefined ? 'memory changed by nobody' : 'frame reached that no table maps',
      at,
      expected: `${where} as software stored it${writer === undefined ? '' : `: no table of ${writer.operation.requester} ever mapped the frame`}`,
      observed: `0x${byte.toString(16)}${writer === undefined ? '' : `, from token ${writer.operation.token} of ${writer.operation.requester}`}`,
    };
  }
  return undefined;
}

/** The first load that shows a byte where neither software nor a requester that may reach the frame put it. */
export function intrusion(history: History): Violation | undefined {
  const versions = new Versions(history.profile);
  const writes: Write[] = [];
  const position = (step: Step): number =>
    step.operation.op === 'dma' && step.operation.direction === 'write'
      ? history.profile.requesters.findIndex(({ id }) => id === (step.operation as DmaOperation).requester)
      : -1;
  for (const [at, step] of history.steps.entries()) {
    const { operation } = step;
    // After a reset or a paint in the middle, nothing simple is known any more.
    if (['reset', 'paint', 'message', 'cpu'].includes(operation.op)) return undefined;
    versions.follow(step);
    const writer = position(step);
    if (writer >= 0 && operation.op === 'dma') writes.push({ operation, position: writer });
    const violation = checkLoad(history, at, versions, writes);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** Whatever is corrupted, nobody leaves the frames that its own tables map. */
export const dmaIsolation: Property<CaseIntents> = {
  id: 'dma-isolation',
  claim: 'A requester never reaches a frame that no table of its domain maps, whatever is corrupted.',
  clauses: [CLAUSE, 'VTD-FLT-002', 'VTD-SS-024', 'VTD-CTX-001', 'VTD-ROOT-001', 'VTD-CROSS-001', 'VTD-SS-003'],
  notApplicable: unsuitable,
  intents: (profile) => cases(platformOf(profile), RECIPE),
  // Status data of a wait would be memory that neither software nor a requester wrote.
  build: (profile, intents) => buildCase(profile, intents, { queued: 'event' }),
  violated: (history) => intrusion(history),
  minimumShares: () => ({ read: 0.05, write: 0.05, crossing: 0.05 }),
};
