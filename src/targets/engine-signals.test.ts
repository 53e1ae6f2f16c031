import { describe, expect, test } from 'vitest';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import { MSI } from '../../spec/layout/msi.js';
import { createEngineTarget } from './engine.js';
import { enable, msiRead, program, runSignals, SIGNAL_CASES, signal } from './signal-testing.js';

const value = (observation: Observation | undefined): bigint | undefined =>
  observation !== undefined && 'value' in observation ? observation.value : undefined;

describe("interrupts of the engine target's requesters", () => {
  test.each(SIGNAL_CASES)('$name', async ({ operations, messages }) => {
    const shown = await runSignals(createEngineTarget(), operations);
    expect(shown.messages).toEqual(messages);
    expect(shown.judgement).toMatchObject({ verdict: 'conformant' });
  });

  test('a message names its sender', async () => {
    const { steps } = await runSignals(createEngineTarget(), [
      ...program('edu3', 0xfee0_1000n, 0x41n),
      enable('edu3'),
      signal('edu3'),
    ]);
    expect(steps.at(-1)?.observation.messages).toEqual([{ address: 0xfee0_1000n, data: 0x41n, source: 0x200 }]);
  });

  test('a message to memory goes where the tables say, and nowhere when they say nothing', async () => {
    const frame = 0x0400_3000n;
    const operations: readonly Operation[] = [
      { op: 'store', address: frame, words: [0n] },
      ...program('edu0', frame + 4n, 0x1234n),
      enable('edu0'),
      signal('edu0'),
      { op: 'load', address: frame, bytes: 8 },
    ];
    for (const [start, byte] of [
      ['reset', 0x34],
      ['ready', 0],
    ] as const) {
      const { steps, messages, judgement } = await runSignals(createEngineTarget(), operations, start);
      expect(messages).toEqual([[]]);
      expect(steps.at(-1)?.observation).toMatchObject({ data: Uint8Array.of(0, 0, 0, 0, byte, byte && 0x12, 0, 0) });
      expect(judgement).toMatchObject({ verdict: 'conformant' });
    }
  });

  test('the next scenario begins disabled, and reads tell so', async () => {
    const target = createEngineTarget();
    await runSignals(target, [...program('edu0', 0x12_fee0_1000n, 0x41n), enable('edu0')]);
    const { steps, messages } = await runSignals(target, [
      signal('edu0'),
      msiRead('edu0', MSI.control, 2),
      msiRead('edu0', MSI.address, 4),
      msiRead('edu0', MSI.upperAddress, 4),
      msiRead('edu0', MSI.data, 2),
    ]);
    expect(messages).toEqual([[]]);
    expect(steps.slice(1).map(({ observation }) => value(observation))).toEqual([0x80n, 0n, 0n, 0n]);
  });

  test('what lies elsewhere in configuration space is refused', async () => {
    const target = createEngineTarget();
    await target.begin('ready');
    await expect(target.run([{ op: 'configRead', function: 0x100, offset: 0, size: 4 }])).rejects.toThrow(
      'target engine: configRead of function 0x100, offset 0x0, 4 bytes is not inside the MSI capability',
    );
    await expect(
      target.run([{ op: 'configWrite', function: 0x102, offset: 0x42, size: 2, value: 1n }]),
    ).rejects.toThrow('configWrite of function 0x102');
    await expect(
      target.run([{ op: 'configWrite', function: 0x100, offset: 0x4c, size: 4, value: 1n }]),
    ).rejects.toThrow('offset 0x4c, 4 bytes');
  });
});
