import { expect, test } from 'vitest';
import type { Profile } from '../../spec/interface/profile.js';
import { SHAPE_NAMES, shapeOf } from '../../src/engine/index.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import { placeOf, platformOf, unsuitable, withField } from './capabilities.js';

const profile = engineProfile(shapeOf('57-1g'));

function withUnit(change: (unit: Profile['components'][string]) => Profile['components'][string]): Profile {
  return { ...profile, components: { iommu0: change(profile.components['iommu0']!) } };
}

function withRegister(name: string, value: bigint): Profile {
  return withUnit((unit) => ({ ...unit, registers: { ...unit.registers, [name]: value } }));
}

test('every engine shape is suitable', () => {
  for (const name of SHAPE_NAMES) expect(unsuitable(engineProfile(shapeOf(name)))).toBeUndefined();
});

test('says why a profile is not suitable', () => {
  const { CAP = 0n } = profile.components['iommu0']!.registers;
  expect(unsuitable(withUnit((unit) => ({ ...unit, architecture: 'amdvi' })))).toContain('no VT-d');
  expect(unsuitable(withRegister('VER', 0x60n))).toContain('register-based');
  expect(unsuitable(withRegister('CAP', withField(CAP, [12, 8], 0n)))).toContain('SAGAW');
  expect(unsuitable({ ...profile, requesters: [] })).toContain('requester');
  expect(unsuitable({ ...profile, arena: { ...profile.arena, bytes: 4096 } })).toContain('arena');
  expect(unsuitable({ ...profile, limits: { tokens: 2, dmaBytes: 64 } })).toContain('tokens');
});

test('reads widths, page sizes and limits', () => {
  const platform = platformOf(engineProfile(shapeOf('48-4k')));
  expect(platform.widths).toEqual([
    { aw: 1, levels: 3, inputBits: 39 },
    { aw: 2, levels: 4, inputBits: 42 },
  ]);
  expect(platform.leafLevels).toEqual([1]);
  expect(platform).toMatchObject({ hostBits: 40, domainBits: 16, faultRecords: 8, modeSwitch: false });
  expect(platformOf(profile)).toMatchObject({ leafLevels: [1, 2, 3], modeSwitch: true, abortMode: true });
});

test('knows where addresses lie, and finds a hole', () => {
  const platform = platformOf(profile);
  const { base, bytes } = profile.arena;
  expect(placeOf(platform, base)).toBe('arena');
  expect(placeOf(platform, base + BigInt(bytes) - 1n)).toBe('arena');
  expect(placeOf(platform, base + BigInt(bytes))).toBe('ram');
  expect(placeOf(platform, 0xa_0000n)).toBe('hole');
  expect(placeOf(platform, 0x10_0000n)).toBe('forbidden');
  expect(placeOf(platform, 0xfee0_0000n)).toBe('interrupt');
  expect(platform.hole).toBe(0x4000_0000n);
  const device = { kind: 'device', base: 0x7fff_f000n, bytes: 4096n } as const;
  const other = platformOf({ ...profile, memory: [...profile.memory, device] });
  expect(other.hole).toBe(0x8000_0000n);
  expect(placeOf(other, 0x7fff_fabcn)).toBe('forbidden');
});
