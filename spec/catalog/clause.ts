import type { Clause, EvidenceTag } from '../interface/judgement.js';

/** A clause of the VT-d specification, revision 5.10; rows of inference oblige nobody. */
export function vtdClause(
  id: string,
  section: string,
  rule: string,
  tag: EvidenceTag,
  needs: string,
  ...choices: readonly string[]
): Clause {
  const document = 'Intel Virtualization Technology for Directed I/O';
  return {
    id,
    document,
    revision: '5.10',
    section,
    rule,
    obligation: tag === 'i' ? 'MAY' : 'MUST',
    tag,
    needs,
    choices,
  };
}
