import { TargetUnavailable } from '../../spec/interface/target.js';
import { SHAPE_NAMES, shapeOf } from '../engine/index.js';
import { createEngineTarget } from '../targets/engine.js';
import { probeQemu } from '../targets/qemu/probe.js';
import { createQemuTarget } from '../targets/qemu/target.js';
import type { Check, TargetKind, TargetOptions } from './world.js';

const DEFAULT_QEMU = 'qemu-system-x86_64';
const WIDTHS = [48, 39] as const;

/** The project's own implementation, in process. */
export const ENGINE: TargetKind = {
  id: 'engine',
  description: "the project's own implementation, in process",
  flags: ['shape'],
  variants: SHAPE_NAMES.map((shape) => ({
    name: shape,
    description: shapeOf(shape).description,
    options: { shape },
  })),
  create: (options) => createEngineTarget(options.shape === undefined ? {} : { shape: options.shape }),
  optionsFor: (profile) => {
    const shape = SHAPE_NAMES.find((name) => profile.name === `engine-${name}`);
    return shape === undefined ? {} : { shape };
  },
  async checks() {
    const target = createEngineTarget();
    const { implementation } = await target.describe();
    await target.close();
    return [{ what: 'target engine', ok: true, found: implementation }];
  },
};

/** QEMU's intel-iommu. */
export const QEMU: TargetKind = {
  id: 'qemu',
  description: "QEMU's intel-iommu, driven through its qtest socket",
  flags: ['qemu', 'awBits'],
  variants: WIDTHS.map((awBits) => ({
    name: `aw-bits=${awBits}`,
    description: `address width of ${awBits} bits`,
    options: { awBits },
  })),
  create: (options) => {
    const awBits = WIDTHS.find((width) => width === options.awBits);
    return createQemuTarget({
      ...(options.qemu === undefined ? {} : { qemuPath: options.qemu }),
      ...(awBits === undefined ? {} : { awBits }),
    });
  },
  optionsFor: (profile): TargetOptions => {
    const awBits = WIDTHS.find((width) => profile.implementation.includes(`aw-bits=${width}`));
    return awBits === undefined ? {} : { awBits };
  },
  checks: qemuChecks,
};

/** The binary, and then whether its devices do what the target needs of them. */
async function qemuChecks(options: TargetOptions): Promise<readonly Check[]> {
  const path = options.qemu ?? DEFAULT_QEMU;
  const binary = await tried('QEMU', async () => {
    const found = await probeQemu(path);
    return `${found.version} at ${found.path}, accelerator ${found.accel}`;
  });
  if (!binary.ok) return [binary];
  const target = createQemuTarget({ qemuPath: path });
  const devices = await tried('target qemu (devices intel-iommu and edu)', async () => {
    const { implementation, requesters } = await target.describe();
    return `${implementation}, ${requesters.length} requesters`;
  });
  await target.close();
  return [binary, devices];
}

async function tried(what: string, attempt: () => Promise<string>): Promise<Check> {
  try {
    return { what, ok: true, found: await attempt() };
  } catch (error) {
    if (!(error instanceof TargetUnavailable)) throw error;
    return { what, ok: false, found: error.message, hint: error.hint };
  }
}
