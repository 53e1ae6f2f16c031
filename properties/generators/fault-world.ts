/** A world for faults: one page is mapped for every requester, every other page is not. */

import { FECTL_FIELDS } from '../../spec/layout/vtd.js';
import { READ_WRITE } from './entries.js';
import type { Script } from './script.js';
import type { Shape, Stage } from './stage.js';

/** Number of unmapped pages that {@link blockedShape} tells apart. */
export const BLOCKED_PAGES = 256;

/** Registers of an event. */
export type EventName = 'FE' | 'IE';

const MASKED = 1n << BigInt(FECTL_FIELDS.IM[1]);

/** How the world begins. */
export interface FaultWorld {
  /** The scenario starts from reset. */
  readonly reset: boolean;
  /** Number of the requester whose context entry has FPD=1, if there is such a one. */
  readonly quiet?: number;
}

/** Maps one page for every requester and latches the root. */
export function prepareFaults(stage: Stage, { reset, quiet }: FaultWorld): void {
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const width = plan.platform.widths[0]!;
  const domain = plan.addDomain(width, plan.freeDomainId(3n))!;
  plan.map(domain, stage.slotAddress(domain, 0, 1), 1, READ_WRITE, plan.memory.frameAddress(plan.memory.takeData()));
  plan.seats.forEach((seat, n) => {
    plan.attach(seat, { domain: 0, faultDisable: quiet === n });
  });
  stage.enabled = !reset;
  stage.latchRoot(plan.rootAddress);
  if (reset) script.enable();
}

/** A request to the mapped page. */
export function passingShape(stage: Stage, write: boolean): Shape {
  return { address: stage.plan.domains[0]!.mappings[0]!.iova, bytes: 8, write };
}

/** A request to one of the pages that are not mapped. */
export function blockedShape(stage: Stage, page: number, write: boolean): Shape {
  const { address } = passingShape(stage, write);
  return { address: address ^ (BigInt(1 + (page % BLOCKED_PAGES)) << 12n), bytes: 8, write };
}

/**
 * Gives an event its message: a fixed interrupt to the first local APIC. `pick` chooses a vector
 * from 40h to 7Fh, different for the two events. To be called while the event is masked.
 */
export function programEvent(script: Script, event: EventName, pick: number): void {
  const vector = (event === 'FE' ? 0x40 : 0x60) + (pick & 0x1f);
  script.write(`${event}DATA`, 4, BigInt(vector));
  script.write(`${event}ADDR`, 4, 0xfee0_0000n);
  script.write(`${event}UADDR`, 4, 0n);
}

/** Writes IM of an event; the reserved bits stay 0. */
export function maskEvent(script: Script, event: EventName, masked: boolean): void {
  script.write(`${event}CTL`, 4, masked ? MASKED : 0n);
}
