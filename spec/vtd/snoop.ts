import type { PageRequest } from './outcome.js';
import type { Translation } from './second-stage-walk.js';

/**
 * The clause by which the access of a translated request must be snooped, if one does. Facts 4.8.
 *
 * 1. VTD-SNP-R01: a request without the no-snoop attribute is snooped, through the second stage and in pass-through.
 * 2. VTD-SNP-001: with SC=1, SNP=1 in the second-stage leaf overrides the attribute.
 *
 * Snooping more than this is lawful (N39). Without translation (TES=0) nothing is said.
 */
export function mustBeSnooped(
  request: PageRequest,
  translation: Translation & { readonly kind: 'translated' },
): string | undefined {
  const { forcedSnoop } = translation;
  if (forcedSnoop === undefined) return undefined;
  if (request.noSnoop !== true) return 'VTD-SNP-R01';
  return forcedSnoop ? 'VTD-SNP-001' : undefined;
}
