import { hex } from '../bits.js';
import type { MemoryView, Reading, Version } from '../interface/model.js';
import type { Profile } from '../interface/profile.js';
import { type Bits, CAP_FIELDS, ECAP_FIELDS } from '../layout/vtd.js';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import { initialState, type RootPointer, type VtdState } from './state.js';

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

/** A unit in the ready state that latched a root pointer. */
export function latched(caps: Capabilities, root: RootPointer): VtdState {
  const component = { architecture: 'vtd', revision: '5.10', registers: caps.raw, parameters: {} };
  const parameters = { hostAddressWidth: caps.hostAddressWidth };
  return { ...initialState({ ...component, parameters }, 'ready'), root: { ...root, since: -1 } };
}

/** Memory of 64-bit words at byte addresses; what is not listed is zero, what is listed as `null` cannot be read. */
export function memory(words: Readonly<Record<string, bigint | null>>): MemoryView {
  const readings = (address: bigint, bytes: number): readonly Reading[] => {
    const found = Array.from({ length: bytes / 8 }, (_, at) => words[hex(address + BigInt(at * 8))] ?? words[''] ?? 0n);
    return words[hex(address)] === null ? [{ kind: 'unreadable' }] : [{ kind: 'words', words: found }];
  };
  const versions = (address: bigint, bytes: number): readonly Version[] => [
    { readings: readings(address, bytes), since: -1, until: Infinity },
  ];
  return { now: 0, readings, versions };
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
