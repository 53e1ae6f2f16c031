import type { Clause } from '../interface/judgement.js';
import { hypervisorClauses } from './hypervisor.js';
import { pcieClauses } from './pcie.js';
import { platformClauses } from './platform.js';
import { vtdClauses } from './vtd.js';
import { vtdQueueClauses } from './vtd-queue.js';

/** Every clause of every document. */
export const catalog: readonly Clause[] = [
  ...platformClauses,
  ...pcieClauses,
  ...hypervisorClauses,
  ...vtdClauses,
  ...vtdQueueClauses,
];

const byId: ReadonlyMap<string, Clause> = new Map(catalog.map((clause) => [clause.id, clause]));

/** A clause by its id. */
export function clauseById(id: string): Clause | undefined {
  return byId.get(id);
}
