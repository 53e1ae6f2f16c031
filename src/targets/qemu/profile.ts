import type { Profile } from '../../../spec/interface/profile.js';
import { CAP_FIELDS } from '../../../spec/layout/vtd.js';
import type { IommuOptions } from './command.js';
import type { Machine } from './machine.js';
import { ARENA, IOMMU, MEMORY, REQUESTERS, SLOT_BYTES, SLOTS } from './platform.js';
import type { QemuFound } from './probe.js';

/** Revision of the VT-d document that capability bits are read by. */
const REVISION = '5.10';

/** Reads from a running machine what it is. */
export async function buildProfile(machine: Machine, qemu: QemuFound, iommu: IommuOptions): Promise<Profile> {
  const registers = await machine.readCapabilities();
  const told = await machine.hostAddressWidth();
  const [high, low] = CAP_FIELDS.MGAW;
  const guestWidth = Number(BigInt.asUintN(high - low + 1, registers.CAP >> BigInt(low))) + 1;
  const properties = [`aw-bits=${iommu.awBits}`, ...iommu.properties.split(',').filter((text) => text !== '')];
  return {
    name: told === undefined ? 'QEMU (host address width not told, taken from CAP.MGAW)' : 'QEMU',
    implementation: `QEMU ${qemu.version} intel-iommu ${properties.join(' ')}`,
    components: {
      [IOMMU]: {
        architecture: 'vtd',
        revision: REVISION,
        registers: { ...registers },
        parameters: { hostAddressWidth: told ?? guestWidth },
      },
    },
    requesters: REQUESTERS,
    memory: MEMORY,
    arena: { base: BigInt(ARENA.base), bytes: ARENA.bytes },
    limits: { tokens: SLOTS, dmaBytes: SLOT_BYTES },
  };
}
