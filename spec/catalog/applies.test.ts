import { describe, expect, it } from 'vitest';
import type { Component } from '../interface/profile.js';
import { CAP_FIELDS, ECAP_FIELDS } from '../layout/vtd.js';
import { needsMet } from './applies.js';
import { catalog } from './index.js';

const bit = (low: number): bigint => 1n << BigInt(low);

function component(VER: bigint, CAP: bigint, ECAP: bigint): Component {
  return { architecture: 'vtd', revision: '5.10', registers: { VER, CAP, ECAP }, parameters: {} };
}

describe('what a clause needs', () => {
  const unit = component(0x10n, bit(CAP_FIELDS.PLMR[1]), bit(ECAP_FIELDS.QI[1]) | bit(ECAP_FIELDS.ADMS[1]));

  it.each([
    ['-', true],
    ['QI', true],
    ['IR', false],
    ['IR=0', true],
    ['QI=0', false],
    ['QI, IR', false],
    ['QI, SMTS or ADMS', true],
    ['IR, SMTS or ADMS', false],
    ['PLMR or PHMR', true],
    ['major<=5', true],
    ['major>=2', false],
  ])('%s: %s', (needs, met) => expect(needsMet(needs, unit)).toBe(met));

  it('can be read for every clause of the catalogue', () => {
    for (const { needs } of catalog) expect(() => needsMet(needs, unit)).not.toThrow();
  });

  it('is refused where it cannot be read', () => {
    expect(() => needsMet('QI and IR', unit)).toThrow('"QI and IR" in "QI and IR" is no capability');
  });
});
