import type { Reading } from '../interface/model.js';
import type { Profile } from '../interface/profile.js';
import { type Bits, CAP_FIELDS, ECAP_FIELDS } from '../layout/vtd.js';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import type { ReadEntry } from './second-stage-walk.js';

/** Tables and capabilities for the tests of the rules. */

const place = (fields: Readonly<Record<string, Bits>>, values: Readonly<Record<string, number>>): bigint =>
  Object.entries(values).reduce((sum, [name, value]) => sum | (BigInt(value) << BigInt(fields[name]![1])), 0n);

/** Capabilities of a unit with 39, 48 and 57 bits, every page size and pass-through; `cap` and `ecap` change fields. */
export function unit(
  cap: Readonly<Record<string, number>> = {},
  ecap: Readonly<Record<string, number>> = {},
  haw = 46,
): Capabilities {
  return capabilitiesOf({
    architecture: 'vtd',
    revision: '5.10',
    registers: {
      VER: 0x50n,
      CAP: place(CAP_FIELDS, { ND: 6, SAGAW: 0b1110, MGAW: 56, SSLPS: 3, FRO: 0x22, ...cap }),
      ECAP: place(ECAP_FIELDS, { PT: 1, IRO: 0xf0, ...ecap }),
    },
    parameters: { hostAddressWidth: haw },
  });
}

/** A reader over 64-bit words at byte addresses; what is not listed is zero, what is listed as `null` cannot be read. */
export function memory(words: Readonly<Record<string, bigint | null>>): ReadEntry {
  return (kind, address): readonly Reading[] => {
    const count = kind === 'second-stage' ? 1 : 2;
    const found = Array.from(
      { length: count },
      (_, at) => words[`0x${(address + BigInt(at * 8)).toString(16)}`] ?? words[''] ?? 0n,
    );
    return words[`0x${address.toString(16)}`] === null
      ? [{ kind: 'unreadable' }]
      : [{ kind: 'words', words: found.map((word) => word ?? 0n) }];
  };
}

/** Minimal profile around an arena at 64 MiB. */
export const platform: Profile = {
  name: 'test',
  implementation: 'test',
  components: {},
  requesters: [],
  memory: [{ kind: 'ram', base: 0n, bytes: 0x800_0000n }],
  arena: { base: 0x400_0000n, bytes: 0x1_0000 },
  limits: { tokens: 32, dmaBytes: 64 },
};
