/** One write, or one command, to one register; then the whole register file is read. */

import type { Profile } from '../../spec/interface/profile.js';
import { CCMD_FIELDS, IOTLB_FIELDS, IVA_FIELDS } from '../../spec/layout/vtd.js';
import type { Built } from '../../src/harness/property.js';
import { type Platform, platformOf, withField } from './capabilities.js';
import {
  type RegisterView,
  readView,
  registerViews,
  type Width,
  widthsOf,
  writableOnes,
  writeView,
} from './registers.js';
import { Script } from './script.js';

/** One invalidation command through registers, at once or as two halves. */
export interface CommandWrite {
  readonly register: 'CCMD' | 'IOTLB';
  readonly granularity: number;
  readonly halves: boolean;
  readonly domain: bigint;
  /** AM of a page-selective command, which need not be supported. */
  readonly mask: number;
}

/** One swept case. */
export type RegisterPoint =
  | { readonly kind: 'bit'; readonly view: RegisterView; readonly bit: number }
  | { readonly kind: 'pattern'; readonly view: RegisterView; readonly value: bigint; readonly width: Width }
  | { readonly kind: 'command'; readonly command: CommandWrite };

const PATTERNS = [0n, 0xffff_ffff_ffff_ffffn, 0x5555_5555_5555_5555n, 0xaaaa_aaaa_aaaa_aaaan] as const;

const ICC = 1n << BigInt(CCMD_FIELDS.ICC[1]);
const IVT = 1n << BigInt(IOTLB_FIELDS.IVT[1]);

function commands(platform: Platform): CommandWrite[] {
  const found: CommandWrite[] = [];
  for (const halves of [false, true]) {
    for (let granularity = 0; granularity < 4; granularity++) {
      for (const register of ['CCMD', 'IOTLB'] as const) {
        found.push({ register, granularity, halves, domain: BigInt(granularity), mask: 0 });
      }
    }
    for (const mask of [1, platform.largestMask, Math.min(63, platform.largestMask + 1), 63]) {
      found.push({ register: 'IOTLB', granularity: 3, halves, domain: 0xffffn, mask });
    }
  }
  return found;
}

/** Every register with every bit that may be written, the patterns at every width, and every command. */
export function registerPoints(platform: Platform): readonly RegisterPoint[] {
  const points: RegisterPoint[] = [];
  for (const view of registerViews(platform)) {
    const ones = writableOnes(view);
    // Where there is no register, the patterns have every bit.
    for (let bit = 0; view.exists && bit < 8 * view.bytes; bit++) {
      if ((ones >> BigInt(bit)) & 1n) points.push({ kind: 'bit', view, bit });
    }
    for (const value of PATTERNS) {
      for (const width of widthsOf(view)) points.push({ kind: 'pattern', view, value, width });
    }
  }
  for (const command of commands(platform)) points.push({ kind: 'command', command });
  return points;
}

/** Reads one register in every way, then all the others. */
function readBack(script: Script, view: RegisterView, views: readonly RegisterView[]): void {
  readView(script, view, 'whole');
  if (view.bytes === 8) readView(script, view, 'halves');
  for (const other of views) readView(script, other, 'whole');
}

function writeBit(script: Script, view: RegisterView, bit: number, views: readonly RegisterView[]): void {
  const value = 1n << BigInt(bit);
  writeView(script, view, value, 'whole');
  readBack(script, view, views);
  // All others instead, by halves where there are halves; then the bit alone in its own half.
  writeView(script, view, ~value, 'halves');
  readView(script, view, 'whole');
  writeView(script, view, value, bit < 32 ? 'low' : 'high');
  readView(script, view, 'halves');
}

function writePattern(script: Script, point: Extract<RegisterPoint, { kind: 'pattern' }>): void {
  const { view, value, width } = point;
  // Before it, the opposite, so that every bit would change.
  writeView(script, view, ~value, 'whole');
  readView(script, view, 'whole');
  writeView(script, view, value, width);
}

/** Gives a command through registers and awaits it. */
export function giveCommand(script: Script, { register, granularity, halves, domain, mask }: CommandWrite): void {
  const context = register === 'CCMD';
  const start = context ? ICC : IVT;
  const fields = context
    ? { granularity: CCMD_FIELDS.CIRG, domain: CCMD_FIELDS.DID }
    : { granularity: IOTLB_FIELDS.IIRG, domain: IOTLB_FIELDS.DID };
  if (!context) script.write('IVA', 8, withField(0x20_0000n, IVA_FIELDS.AM, BigInt(mask)));
  const value = withField(withField(start, fields.domain, domain), fields.granularity, BigInt(granularity));
  if (halves) {
    script.write(register, 4, value & 0xffff_ffffn);
    script.read(register, 8);
    script.write(register, 4, value >> 32n, { offset: 4 });
  } else script.write(register, 8, value);
  script.poll(register, 8, start, 0n);
}

/** The scenario of a point. */
export function buildRegisterPoint(profile: Profile, point: RegisterPoint, index: number): Built {
  const platform = platformOf(profile);
  const script = new Script(platform);
  const views = registerViews(platform);
  switch (point.kind) {
    case 'bit':
      writeBit(script, point.view, point.bit, views);
      break;
    case 'pattern':
      writePattern(script, point);
      readBack(script, point.view, views);
      break;
    case 'command':
      giveCommand(script, point.command);
      for (const view of views) readView(script, view, 'whole');
      break;
  }
  const start = index % 4 === 0 ? 'reset' : 'ready';
  return { scenario: { level: 'operations', start, operations: script.operations }, labels: {} };
}
