import { describe, expect, test } from 'vitest';
import type { RegisterWriteOperation } from '../../spec/interface/operations.js';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { platformOf } from './capabilities.js';
import { variants } from './checking/profiles.js';
import { buildRegisterPoint, type RegisterPoint, registerPoints } from './register-sweep.js';

/** Bits that may never be written as 1, or only as a command. */
const PRESERVED: Readonly<Record<string, bigint>> = {
  FECTL: 0x3fff_ffffn,
  IECTL: 0x3fff_ffffn,
  PMEN: 0x7fff_fffen,
  CCMD: 1n << 63n,
  IOTLB: (1n << 63n) | 0xffff_ffffn,
};

describe.each(variants())('the register sweep for %s', (_, profile) => {
  const platform = platformOf(profile);
  const points = registerPoints(platform);

  const writes = (point: RegisterPoint, index: number): readonly RegisterWriteOperation[] => {
    const { scenario } = buildRegisterPoint(profile, point, index);
    if (scenario.level !== 'operations') throw new Error('not operations');
    return scenario.operations.filter((each): each is RegisterWriteOperation => each.op === 'regWrite');
  };

  test('writes every bit of every register that is there, at once and in its half', () => {
    const seen = new Map<string, bigint>();
    points.forEach((point, index) => {
      if (point.kind !== 'bit') return;
      const { register, bytes, index: which = 0n, offset } = point.view;
      const bit = 1n << BigInt(point.bit);
      const made = writes(point, index);
      expect(made[0]).toMatchObject({ register, size: bytes, value: bit });
      const half = { value: point.bit < 32 ? bit : bit >> 32n, size: 4, register };
      expect(made.at(-1)).toMatchObject(half);
      const key = `${register} ${which} ${offset}`;
      seen.set(key, (seen.get(key) ?? 0n) | bit);
    });
    for (const [register, { bytes }] of Object.entries(VTD_REGISTERS)) {
      const queue = /^I[QCE]/.test(register) && !platform.queue;
      const absent =
        queue ||
        (register === 'IRTA' && !platform.interruptRemapping) ||
        (register.startsWith('PLM') && !platform.protectedLow) ||
        (register.startsWith('PHM') && !platform.protectedHigh) ||
        (register === 'PMEN' && !platform.protectedLow && !platform.protectedHigh);
      const all = (1n << BigInt(8 * bytes)) - 1n;
      const expected = register === 'GCMD' || absent ? undefined : all & ~(PRESERVED[register] ?? 0n);
      expect([register, seen.get(`${register} 0 0`)]).toEqual([register, expected]);
    }
    expect(seen.get('FRCD 0 8')).toBe((1n << 64n) - 1n);
    expect(seen.get('IOTLB 0 0')).toBe(((1n << 64n) - 1n) & ~PRESERVED['IOTLB']!);
  });

  test('writes the patterns at every width, also where there is no register', () => {
    const patterns = points.filter((point) => point.kind === 'pattern');
    for (const name of [...Object.keys(VTD_REGISTERS), 'IVA', 'IOTLB', 'FRCD', '0xc0', '0xdc']) {
      if (name === 'GCMD') continue;
      const of = patterns.filter(({ view }) => view.register === name);
      const { bytes } = of[0]!.view;
      expect(new Set(of.map(({ width }) => width)).size).toBe(bytes === 4 ? 1 : 4);
      expect(new Set(of.map(({ value }) => value)).size).toBe(4);
    }
  });

  test('gives every command at once and in halves', () => {
    const commands = points.flatMap((point) => (point.kind === 'command' ? [point.command] : []));
    for (const register of ['CCMD', 'IOTLB']) {
      for (const halves of [false, true]) {
        const of = commands.filter((command) => command.register === register && command.halves === halves);
        expect(new Set(of.map(({ granularity }) => granularity)).size).toBe(4);
      }
    }
    const tooWide = commands.some(({ mask }) => mask > platform.largestMask);
    expect(tooWide).toBe(true);
  });
});
