import type { Clock } from './edu.js';
import { EDUS, RAM_BYTES, ROOT_PORTS } from './platform.js';
import type { QemuFound } from './probe.js';

/** What distinguishes one intel-iommu from another. */
export interface IommuOptions {
  /** Address width in bits: 39 or 48. */
  readonly awBits: 39 | 48;
  /** Further properties of the device, as QEMU takes them: "caching-mode=on,snoop-control=on". */
  readonly properties: string;
}

/** Files of a running QEMU, by their names in its folder. */
export const FILES = {
  qtest: 'qtest',
  qmp: 'qmp',
  firmware: 'firmware',
  ram: 'ram',
  trace: 'trace',
} as const;

/** The firmware: nothing but HLT, so that the CPU rests and virtual time jumps from timer to timer. */
export function haltingFirmware(): Uint8Array {
  return new Uint8Array(0x1_0000).fill(0xf4);
}

/** Devices of the chipset that are not needed and would only take addresses and time. */
const WITHOUT = ['hpet', 'pit', 'sata', 'smbus', 'smm', 'vmport', 'i8042'].map((name) => `${name}=off`).join(',');

/** The machine without what is not needed of it. */
export const MACHINE = `q35,${WITHOUT}`;

/** Arguments that make QEMU run without a guest. */
export const ACCELERATOR_ARGUMENTS = {
  qtest: ['-accel', 'qtest'],
  tcg: ['-accel', 'tcg', '-icount', 'shift=0,sleep=off'],
} as const satisfies Record<Clock, readonly string[]>;

/** Arguments of QEMU for the machine of platform.ts. */
export function qemuArguments(qemu: QemuFound, iommu: IommuOptions, folder: string): readonly string[] {
  return [
    ...['-machine', `${MACHINE},memory-backend=ram`, '-m', `${RAM_BYTES / 0x10_0000}M`],
    ...['-object', `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${folder}/${FILES.ram},share=on`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-bios', `${folder}/${FILES.firmware}`],
    ...deviceArguments(iommu),
    ...['-qtest', `pipe:${folder}/${FILES.qtest}`, '-qtest-log', 'none', '-qmp', `unix:${folder}/${FILES.qmp}`],
    ...['-D', `${folder}/${FILES.trace}`],
    ...ACCELERATOR_ARGUMENTS[qemu.accel],
  ];
}

/** Arguments for the IOMMU, the root ports, and the `edu` devices behind them. */
export function deviceArguments(iommu: IommuOptions): readonly string[] {
  const properties = iommu.properties === '' ? '' : `,${iommu.properties}`;
  return [
    ...['-device', `intel-iommu,intremap=on,aw-bits=${iommu.awBits}${properties}`],
    ...ROOT_PORTS.flatMap(({ id, device, bus }) => [
      '-device',
      `pcie-root-port,id=${id},bus=pcie.0,addr=${device}.0,chassis=${bus},slot=${bus}`,
    ]),
    ...eduArguments(),
  ];
}

/** The `edu` devices; without the mask they cut addresses to 28 bits. */
function eduArguments(): readonly string[] {
  return EDUS.flatMap(({ port, routingId }) => {
    const place = `addr=${(routingId >> 3) & 31}.${routingId & 7}`;
    const many = (routingId & 7) === 0 ? ',multifunction=on' : '';
    return ['-device', `edu,bus=${port},${place}${many},dma_mask=0xffffffffffffffff`];
  });
}
