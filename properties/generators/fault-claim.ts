/** What fault records must show of requests that are known to be blocked, told from register reads alone. */

import type { History, Step } from '../../spec/interface/scenario.js';
import { CAP_FIELDS, FRCD_FIELDS, FSTS_FIELDS } from '../../spec/layout/vtd.js';
import type { Violation } from '../../src/harness/property.js';
import { ARCHITECTURE, field } from './capabilities.js';

/** A request that no table maps, and whose fault is not disabled. */
export interface BlockedRequest {
  /** Index of the operation. */
  readonly at: number;
  readonly source: number;
  /** Page number of the address, hexadecimal. */
  readonly page: string;
}

/** A record that was read with F=1. */
interface Report {
  readonly at: number;
  readonly source: number;
  readonly page: string;
}

const PENDING = 1n << BigInt(FSTS_FIELDS.PPF[1]);
const OVERFLOW = 1n << BigInt(FSTS_FIELDS.PFO[1]);

/** Value of a register read, where it was observed. */
function observedValue({ operation, observation }: Step, register: string): bigint | undefined {
  if (operation.op !== 'regRead' || operation.register !== register || observation.of !== 'regRead') return undefined;
  return observation.value;
}

function faultRecords(history: History): number {
  const unit = Object.values(history.profile.components).find(({ architecture }) => architecture === ARCHITECTURE);
  return Number(field(unit?.registers['CAP'] ?? 0n, CAP_FIELDS.NFR)) + 1;
}

/** What was read between one look at FSTS and the first write to a fault register after it. */
class Look {
  readonly reports: Report[] = [];
  readonly status: bigint;
  readonly at: number;
  /** Records of which both halves were read. */
  readonly read = new Set<bigint>();
  #low: bigint | undefined;

  constructor(at: number, status: bigint) {
    this.at = at;
    this.status = status;
  }

  take(at: number, step: Step): void {
    const value = observedValue(step, 'FRCD');
    if (value === undefined || step.operation.op !== 'regRead') return;
    const { offset = 0, index = 0n } = step.operation;
    if (offset === 0) this.#low = value;
    if (offset !== 8 || this.#low === undefined || typeof index !== 'bigint') return;
    this.read.add(index);
    const record = (value << 64n) | this.#low;
    if (field(record, FRCD_FIELDS.F) === 0n) return;
    const page = field(record, FRCD_FIELDS.FI).toString(16);
    this.reports.push({ at, source: Number(field(record, FRCD_FIELDS.SID)), page });
  }
}

function hex(source: number): string {
  return `requester ${source.toString(16)}h`;
}

/** Every record was clear before `sent`, and nothing but `sent` was blocked since; `look` followed. */
function roundViolation(look: Look, sent: readonly BlockedRequest[], records: number): Violation | undefined {
  const told = (
    clause: string,
    discriminator: string,
    expected: string,
    observed: string,
    at = look.at,
  ): Violation => ({
    clause,
    discriminator,
    at,
    expected,
    observed,
  });
  const status = `FSTS=0x${look.status.toString(16)}`;
  if (sent.length === 0 || (look.status & PENDING) === 0n) {
    return sent.length === 0 ? undefined : told('VTD-FREC-005', 'blocked request, no record', 'PPF=1', status);
  }
  const seen = new Set<string>();
  for (const { at, source, page } of look.reports) {
    const name = `${source}/${page}`;
    const known = sent.some((request) => request.source === source && request.page === page);
    const what = `a record of ${hex(source)}, page 0x${page}`;
    if (!known) return told('VTD-FLT-003', 'record of no new request', 'records of requests since the clear', what, at);
    if (seen.has(name)) return told('VTD-FLT-003', 'request reported twice', 'one record for a request', what, at);
    seen.add(name);
  }
  if (look.read.size < records) return undefined;
  if ((look.status & OVERFLOW) !== 0n) {
    const full = look.reports.length === records;
    const observed = `${status}, ${look.reports.length} of ${records} records pending`;
    return full ? undefined : told('VTD-FREC-008', 'overflow with a free record', 'PFO=0, or no free record', observed);
  }
  const missing = sent.find(({ source }) => !look.reports.some((report) => report.source === source));
  if (missing === undefined) return undefined;
  const expected = `a record of ${hex(missing.source)}, or PFO=1`;
  const full = look.reports.length === records;
  if (full) return told('VTD-FREC-008', 'overflow not told', expected, status);
  return told('VTD-FREC-007', 'unreported with a free record', expected, `${status}, no such record`);
}

/**
 * A blocked request that is not reported, is reported twice, or an overflow that is not told. Judged are those
 * stretches that begin with FSTS showing neither PPF nor PFO and end with the next reads of FSTS and the records.
 */
export function reportingFault(history: History, blocked: readonly BlockedRequest[]): Violation | undefined {
  const records = faultRecords(history);
  const blockedAt = new Map(blocked.map((request) => [request.at, request]));
  let sent: BlockedRequest[] | undefined;
  let look: Look | undefined;
  const judged = (): Violation | undefined =>
    look === undefined || sent === undefined ? undefined : roundViolation(look, sent, records);
  for (const [at, step] of history.steps.entries()) {
    const { operation } = step;
    const request = blockedAt.get(at);
    if (request !== undefined) sent?.push(request);
    look?.take(at, step);
    const touched = operation.op === 'regWrite' && ['FRCD', 'FSTS', 'GCMD'].includes(operation.register);
    const status = observedValue(step, 'FSTS');
    if (!touched && request === undefined && status === undefined) continue;
    const violation = judged();
    if (violation !== undefined) return violation;
    look = undefined;
    if (touched) sent = undefined;
    if (status === undefined) continue;
    if ((status & (PENDING | OVERFLOW)) === 0n && (sent === undefined || sent.length === 0)) sent = [];
    else look = new Look(at, status);
  }
  return judged();
}
