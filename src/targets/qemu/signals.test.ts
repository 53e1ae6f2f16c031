import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observation } from '../../../spec/interface/observations.js';
import type { Operation } from '../../../spec/interface/operations.js';
import { MSI } from '../../../spec/layout/msi.js';
import { enable, msiRead, msiWrite, program, runSignals, SIGNAL_CASES, signal } from '../signal-testing.js';
import { createQemuTarget, type QemuTarget } from './target.js';

const component = 'iommu0';
const ARENA = 0x0400_0000n;
const PROGRAMMED = [...program('edu0', 0xfee0_1000n, 0x41n), enable('edu0')];
const MESSAGE = { address: 0xfee0_1000n, data: 0x41n };

/** The writable fields of the capability. */
const FIELDS = [
  msiRead('edu0', MSI.control, 2),
  msiRead('edu0', MSI.address, 4),
  msiRead('edu0', MSI.upperAddress, 4),
  msiRead('edu0', MSI.data, 2),
];
const FIELDS_AFTER_RESET = [0x80n, 0n, 0n, 0n];

/** Of several files for the log QEMU takes the last. */
const WITHOUT_LOG = `#!/bin/sh
case "$1" in
  -machine) exec qemu-system-x86_64 "$@" -D /dev/null ;;
  *) exec qemu-system-x86_64 "$@" ;;
esac
`;

const values = (observations: readonly Observation[]): (bigint | undefined)[] =>
  observations.map((observation) => ('value' in observation ? observation.value : undefined));

describe("interrupts of the QEMU target's devices", () => {
  let target: QemuTarget;
  beforeAll(async () => {
    target = createQemuTarget();
    await target.describe();
  });
  afterAll(() => target.close());

  const observe = async (operations: readonly Operation[]): Promise<readonly Observation[]> => {
    const { observations, failure } = await target.run(operations);
    expect(failure).toBeUndefined();
    return observations;
  };

  it('have an MSI capability', async () => {
    const { requesters } = await target.describe();
    expect(requesters.map(({ msiCapability }) => msiCapability)).toEqual([0x40, 0x40, 0x40, 0x40]);
  });

  it.each(SIGNAL_CASES)('show $name', async ({ operations, messages }) => {
    const shown = await runSignals(target, operations);
    expect(shown.messages).toEqual(messages);
    expect(shown.judgement).toMatchObject({ verdict: 'conformant' });
  });

  it('show the same in a batch, and nothing for other operations', async () => {
    expect(await target.begin('ready')).toBeUndefined();
    const message: Operation = { op: 'message', requester: 'edu3', address: 0xfee0_5000n, data: 0x77n };
    const shown = await observe([...PROGRAMMED, message, signal('edu0'), message, signal('edu0'), message]);
    expect(shown.slice(-5).map(({ messages }) => messages)).toEqual([
      undefined,
      [MESSAGE],
      undefined,
      [MESSAGE],
      undefined,
    ]);
    expect(shown.slice(0, -5).every(({ messages }) => messages === undefined)).toBe(true);
  });

  it('find MSI disabled when a scenario begins, whatever the one before programmed', async () => {
    for (const start of ['ready', 'reset'] as const) {
      await runSignals(target, [
        ...program('edu0', 0xab_fee0_1000n, 0xffffn),
        msiWrite('edu0', MSI.control, 1, 0x71n),
        ...program('edu3', 0xfee0_1000n, 1n),
        enable('edu3'),
      ]);
      const { messages } = await runSignals(target, [signal('edu0'), signal('edu3')], start);
      expect(messages).toEqual([[], []]);
      expect(values(await observe(FIELDS))).toEqual(FIELDS_AFTER_RESET);
    }
  });

  it('leave no interrupt pending', async () => {
    await runSignals(target, [signal('edu0'), ...PROGRAMMED, signal('edu0'), enable('edu0', 0n), signal('edu0')]);
    expect(await target.begin('ready')).toBeUndefined();
    // Bit 3 of the Status register, 19 here, tells of an INTx interrupt.
    const status: Operation = { op: 'configRead', function: 0x100, offset: 4, size: 4 };
    expect(values(await observe([status]))).toEqual([0x0010_0006n]);
  });

  it('keep what was programmed when a message is sent by hand', async () => {
    const { messages } = await runSignals(target, [
      ...PROGRAMMED,
      { op: 'message', requester: 'edu0', address: 0xfee0_5000n, data: 0x77n },
      signal('edu0'),
      enable('edu0', 0n),
      { op: 'message', requester: 'edu0', address: 0xfee0_5000n, data: 0x77n },
      signal('edu0'),
      enable('edu0'),
      signal('edu0'),
    ]);
    expect(messages).toEqual([[MESSAGE], [], [MESSAGE]]);
  });

  it('show the message of a fault event that a refused message caused', async () => {
    const register = (name: string, value: bigint): Operation => {
      return { op: 'regWrite', component, register: name, size: 4, value };
    };
    const { messages, judgement } = await runSignals(target, [
      register('FEDATA', 0x31n),
      register('FEADDR', 0xfee0_2000n),
      register('FECTL', 0n),
      ...program('edu0', ARENA, 0x41n),
      enable('edu0'),
      signal('edu0'),
    ]);
    expect(messages).toEqual([[{ address: 0xfee0_2000n, data: 0x31n }]]);
    expect(judgement).toMatchObject({ verdict: 'conformant' });
  });

  it('show what remapping makes of a message, and nothing where it refuses', async () => {
    const present = 1n | (0x66n << 16n) | (0x200n << 32n);
    const register = (name: string, size: 4 | 8, value: bigint): Operation => {
      return { op: 'regWrite', component, register: name, size, value };
    };
    // Remappable format, handles 0 and 1; the table names vector 66h of processor 2 for handle 0. QEMU sets
    // bit 14 of the data, the level, which means nothing for an edge.
    const handle = (index: bigint) => 0xfee0_0010n | (index << 5n);
    const { messages } = await runSignals(target, [
      { op: 'store', address: ARENA, words: [present, 0n, 0n, 0n] },
      register('IRTA', 8, ARENA),
      register('GCMD', 4, 0x8100_0000n),
      register('GCMD', 4, 0x8200_0000n),
      ...program('edu0', handle(0n), 0n),
      enable('edu0'),
      signal('edu0'),
      msiWrite('edu0', MSI.address, 4, handle(1n)),
      signal('edu0'),
    ]);
    expect(messages).toEqual([[{ address: 0xfee0_2000n, data: 0x4066n }], []]);
  });
});

describe('a QEMU that does not print its trace', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'iovcheck-signals-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('shows no messages, and does not claim that there were none', async () => {
    const path = join(folder, 'qemu');
    writeFileSync(path, WITHOUT_LOG);
    chmodSync(path, 0o755);
    const target = createQemuTarget({ qemuPath: path });
    try {
      const { steps, judgement } = await runSignals(target, [...PROGRAMMED, signal('edu0')]);
      expect(steps.at(-1)?.observation).toEqual({ of: 'signal', begin: 4, complete: 4 });
      expect(judgement).toMatchObject({ verdict: 'conformant' });
    } finally {
      await target.close();
    }
  });
});
