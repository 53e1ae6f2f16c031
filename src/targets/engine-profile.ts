import type { Profile, Requester } from '../../spec/interface/profile.js';
import { FRAME_BYTES, TOKEN_BYTES } from '../../spec/layout/tokens.js';
import type { Shape } from '../engine/index.js';

/** Name of the only component. */
export const COMPONENT = 'iommu0';

/** Host-physical byte addresses of the RAM's pieces; between them lies a hole. */
export const LOW_RAM_END = 0xa_0000n;
export const HIGH_RAM_BASE = 0x10_0000n;
export const RAM_END = 0x2000_0000n;

/** Byte address and length of the arena. */
export const ARENA_BASE = 0x0400_0000n;
export const ARENA_BYTES = 96 * FRAME_BYTES;

/** Frame of the empty root table that is latched in the state `ready`. */
export const EMPTY_ROOT = 0x10_0000n;

/** Tokens of each requester. */
export const TOKENS = 32;

/** Byte offset of each requester's MSI capability in configuration space. */
export const MSI_CAPABILITY = 0x40;

const AFTER_EMPTY_ROOT = EMPTY_ROOT + BigInt(FRAME_BYTES);

/** Names and routing IDs: three functions of one device, and one on another bus. */
const REQUESTERS = [
  ['edu0', 0x0100],
  ['edu1', 0x0101],
  ['edu2', 0x0104],
  ['edu3', 0x0200],
] as const;

/** The profile of the engine target with that shape. */
export function engineProfile(shape: Shape): Profile {
  return {
    name: `engine-${shape.name}`,
    implementation: `iovcheck engine, shape ${shape.name}: ${shape.description}`,
    components: {
      [COMPONENT]: {
        architecture: 'vtd',
        revision: '5.10',
        registers: { VER: BigInt(shape.ver), CAP: shape.cap, ECAP: shape.ecap },
        parameters: { hostAddressWidth: shape.hostAddressWidth },
      },
    },
    requesters: REQUESTERS.map(
      ([id, routingId]): Requester => ({
        id,
        routingId,
        component: COMPONENT,
        dma: true,
        msi: true,
        pasidBits: 0,
        zeroLengthReads: true,
        noSnoop: true,
        msiCapability: MSI_CAPABILITY,
      }),
    ),
    memory: [
      { kind: 'ram', base: 0n, bytes: LOW_RAM_END },
      { kind: 'reserved', base: EMPTY_ROOT, bytes: BigInt(FRAME_BYTES) },
      { kind: 'ram', base: AFTER_EMPTY_ROOT, bytes: RAM_END - AFTER_EMPTY_ROOT },
    ],
    arena: { base: ARENA_BASE, bytes: ARENA_BYTES },
    limits: { tokens: TOKENS, dmaBytes: TOKEN_BYTES },
  };
}
