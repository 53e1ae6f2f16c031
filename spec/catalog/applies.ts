import { field } from '../bits.js';
import type { Clause } from '../interface/judgement.js';
import type { Component, Profile } from '../interface/profile.js';
import { CAP_FIELDS, ECAP_FIELDS } from '../layout/vtd.js';

/** Whether a component has what one word of `Clause.needs` asks for; `undefined`: the word means nothing. */
function hasNeed(word: string, { registers }: Component): boolean | undefined {
  const version = /^major(<=|>=)(\d+)$/.exec(word);
  if (version !== null) {
    const major = Number(field(registers['VER'] ?? 0n, [7, 4]));
    return version[1] === '<=' ? major <= Number(version[2]) : major >= Number(version[2]);
  }
  const [, name = '', zero] = /^([A-Z0-9]+)(=0)?$/.exec(word) ?? [];
  const inCap = Object.entries(CAP_FIELDS).find(([each]) => each === name)?.[1];
  const inEcap = Object.entries(ECAP_FIELDS).find(([each]) => each === name)?.[1];
  const place = inCap ?? inEcap;
  if (place === undefined) return undefined;
  const value = field(registers[inCap === undefined ? 'ECAP' : 'CAP'] ?? 0n, place);
  return (value === 0n) === (zero !== undefined);
}

/**
 * Whether a component has what a clause needs: "-" for nothing, else words joined by "," (all of them) and, binding
 * tighter, "or" (any of them). A word is a field of CAP or ECAP ("QI"), a field that is 0 ("ZLR=0"), or a bound on VER.MAX
 * ("major<=5").
 *
 * @throws Error for a word that means nothing
 */
export function needsMet(needs: string, component: Component): boolean {
  if (needs === '-') return true;
  const words = (text: string): readonly boolean[] =>
    text.split(' or ').map((word) => {
      const has = hasNeed(word, component);
      if (has === undefined) throw new Error(`"${word}" in "${needs}" is no capability, "CAPABILITY=0" or "major<=N"`);
      return has;
    });
  return needs.split(', ').every((part) => words(part).includes(true));
}

/** Whether a clause concerns a target of this profile: some component of it has what the clause needs. */
export function clauseApplies({ needs }: Clause, { components }: Profile): boolean {
  return needs === '-' || Object.values(components).some((component) => needsMet(needs, component));
}
