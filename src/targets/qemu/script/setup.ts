import type { Profile } from '../../../../spec/interface/profile.js';
import { VTD_PLACED_REGISTERS, VTD_REGISTERS } from '../../../../spec/layout/vtd.js';
import { resolveRegister } from '../../registers.js';
import { ACCELERATOR_ARGUMENTS, deviceArguments, type IommuOptions, MACHINE } from '../command.js';
import { dmaValues } from '../edu.js';
import { IommuControl } from '../iommu.js';
import { configAddress, EDU_IDENTITY, setUpPci } from '../pci.js';
import { ARENA, EDUS, IOMMU, RAM_BYTES, VTD_REGISTERS_BASE } from '../platform.js';
import { hex } from '../qtest.js';
import { fillRequest, QUARANTINE_ROOT } from '../staging.js';
import { linesOf } from './recorded.js';
import { call, quoted } from './shell.js';

/** The function that starts QEMU. */
export function machineFunction(iommu: IommuOptions): readonly string[] {
  const devices = deviceArguments(iommu);
  const pairs = Array.from({ length: devices.length / 2 }, (_, index) => devices.slice(index * 2, index * 2 + 2));
  return [
    '# The machine: a VT-d unit, and `edu` devices behind two root ports, which do DMA. No guest runs.',
    'machine() {',
    `  if [ "$clock" = qtest ]; then set -- ${ACCELERATOR_ARGUMENTS.qtest.join(' ')}; else set -- ${ACCELERATOR_ARGUMENTS.tcg.join(' ')}; fi`,
    `  keep "$QEMU" -machine ${MACHINE} \\`,
    `    -m ${RAM_BYTES / 0x10_0000}M -nodefaults -no-user-config -display none -bios "$folder/firmware" \\`,
    ...pairs.map((pair) => `    ${pair.map(quoted).join(' ')} \\`),
    '    -qtest "pipe:$folder/qtest" -qtest-log none "$@" >/dev/null 2>&1 &',
    '  keeper=$!',
    '}',
  ];
}

/** The function that gives devices their places. */
export function pciFunction(): readonly string[] {
  const identityAt = configAddress(EDUS[0]!.routingId, 0);
  return [
    '# Configuration space at b0000000h; bus numbers and windows of the root ports; registers of the edu devices; each may',
    '# be reached, and may issue requests.',
    `edu_identity_at=0x${identityAt.toString(16)}`,
    `edu_identity=0x${EDU_IDENTITY.toString(16)}`,
    'set_up_pci() {',
    ...linesOf(setUpPci).map((line) => `  ask ${line}`),
    '  value readl "$edu_identity_at"',
    '  [ "$value" = "$edu_identity" ] || trouble "there is no edu device where it should be"',
    '}',
  ];
}

/** Loads the buffers of devices; translation is off at that time. */
export function fillBuffers(requesters: readonly number[]): readonly string[] {
  if (requesters.length === 0) return [];
  return [
    '# What devices write: tokens, 64 bytes each, that name the device and the request. Behind them, where reads arrive, ee.',
    ...requesters.map((requester) => {
      const { id, bar } = EDUS[requester]!;
      const request = fillRequest(requester);
      const [source, destination, bytes, command] = dmaValues(request);
      const words = [BigInt(bar), source!, destination!, bytes!, command!];
      return `${call('fill', `${requester}`, ...words)} # ${id}`;
    }),
  ];
}

/** The memory of the start, and the state of the unit. */
export function startState(profile: Profile, ready: boolean): readonly string[] {
  return [
    '# All memory that the case may use holds words that name their address; other memory is zero.',
    call('paint', BigInt(ARENA.base), `${ARENA.bytes}`),
    ...(ready ? readyState(profile) : ['', '# The unit is as it is after a reset.']),
  ];
}

function readyState(profile: Profile): readonly string[] {
  const names = registerNames(profile);
  const lines = linesOf((sink) => {
    const control = new IommuControl(sink, profile.components[IOMMU]?.registers ?? {});
    control.restoreOthers();
    control.enter(QUARANTINE_ROOT);
    control.clearFaults();
  });
  const status = `0x${(VTD_REGISTERS_BASE + VTD_REGISTERS.GSTS.offset).toString(16)}`;
  return [
    '',
    '# The unit translates, by a root table without a present entry; its caches are empty, and no fault is pending.',
    ...lines.map((line) => `ask ${line}${commentOf(names.get(line.split(' ')[1] ?? ''))}`),
    `value readl ${status}`,
    '[ "$value" = 0xc0000000 ] || trouble "translation cannot be enabled: GSTS is $value"',
  ];
}

/** Names of registers by their addresses, as lines write them. */
function registerNames(profile: Profile): ReadonlyMap<string, string> {
  const name = (register: string): readonly [string, string] => {
    const offset = resolveRegister(profile, { component: IOMMU, register, size: 4 });
    return [hex(VTD_REGISTERS_BASE + offset), register];
  };
  return new Map([...Object.keys(VTD_REGISTERS), ...Object.keys(VTD_PLACED_REGISTERS)].map(name));
}

function commentOf(name: string | undefined): string {
  return name === undefined ? '' : ` # ${name}`;
}
