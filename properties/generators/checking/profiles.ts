import type { Profile } from '../../../spec/interface/profile.js';
import { CAP_FIELDS, ECAP_FIELDS } from '../../../spec/layout/vtd.js';
import { SHAPE_NAMES, shapeOf } from '../../../src/engine/index.js';
import { engineProfile } from '../../../src/targets/engine-profile.js';
import { field, withField } from '../capabilities.js';

/** A profile with other capabilities. */
export function withCapabilities(
  profile: Profile,
  cap: Readonly<Partial<Record<keyof typeof CAP_FIELDS, number>>>,
  ecap: Readonly<Partial<Record<keyof typeof ECAP_FIELDS, number>>>,
): Profile {
  const [[name, unit]] = Object.entries(profile.components) as [[string, Profile['components'][string]]];
  let { CAP = 0n, ECAP = 0n } = unit.registers;
  for (const [key, value] of Object.entries(cap)) {
    CAP = withField(CAP, CAP_FIELDS[key as keyof typeof CAP_FIELDS], BigInt(value));
  }
  for (const [key, value] of Object.entries(ecap)) {
    ECAP = withField(ECAP, ECAP_FIELDS[key as keyof typeof ECAP_FIELDS], BigInt(value));
  }
  return { ...profile, components: { [name]: { ...unit, registers: { ...unit.registers, CAP, ECAP } } } };
}

/** Profiles to make scenarios for: every shape of the engine, with and without a queue, some with all the rest. */
export function variants(): readonly (readonly [name: string, profile: Profile])[] {
  return SHAPE_NAMES.flatMap((name, at) => {
    const profile = engineProfile(shapeOf(name));
    const queue = withCapabilities(profile, at % 2 === 0 ? { RWBF: 1, PLMR: 1 } : {}, {
      QI: 1,
      IR: at % 3 === 0 ? 1 : 0,
    });
    const ecap = Object.values(profile.components)[0]?.registers['ECAP'] ?? 0n;
    const same = field(ecap, ECAP_FIELDS.QI) === 1n;
    const without = same ? withCapabilities(profile, {}, { QI: 0 }) : profile;
    return [
      [`${name}, no queue`, without],
      [`${name}, queue`, queue],
    ] as const;
  });
}
