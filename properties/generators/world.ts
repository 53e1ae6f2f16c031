import { covers, READ_WRITE } from './entries.js';
import type { CaseIntents, DomainIntent, PageIntent } from './intents.js';
import type { Attachment, Domain, Seat } from './plan.js';
import type { Stage } from './stage.js';

/** Drawn attachment target that stands for pass-through. */
const PASS_THROUGH_PICK = 15;

/** Rights of a drawn number: mostly both. */
export function rightsOf(pick: number): bigint {
  if (pick === 5) return 2n;
  if (pick === 6) return 1n;
  return pick === 7 ? 0n : READ_WRITE;
}

/** Domain id of a drawn number: small, the highest, the highest bit, zero, or in between. */
function idOf(stage: Stage, pick: number, number: number): bigint {
  const bits = BigInt(stage.plan.platform.domainBits);
  const top = 1n << (bits - 1n);
  const wanted = [BigInt(number + 1), (1n << bits) - 1n, top, 0n, BigInt(pick), top | BigInt(pick)][pick % 6]!;
  return stage.plan.freeDomainId(wanted);
}

/** Maps what a page intent asks for, as far as frames last. Each 4 KiB page gets a data frame of its own. */
export function mapPages(stage: Stage, domain: Domain, page: PageIntent): void {
  const { plan } = stage;
  const levels = plan.platform.leafLevels;
  const level = levels[page.size % levels.length]!;
  const size = covers(level);
  const first = stage.slotAddress(domain, page.slot, level);
  // A second superpage would hold the same frames; only small pages have neighbours.
  const count = level === 1 ? page.count : 1;
  for (let n = 0; n < count; n++) {
    const iova = first + BigInt(n) * size;
    if (iova >= plan.limit(domain)) break;
    const out = plan.pageOfData(plan.memory.takeData(), level);
    plan.map(domain, iova, level, rightsOf(page.rights), out);
  }
}

function addDomain(stage: Stage, intent: DomainIntent, number: number): void {
  const { widths } = stage.plan.platform;
  const domain = stage.plan.addDomain(widths[intent.width % widths.length]!, idOf(stage, intent.id, number));
  if (domain === undefined) return;
  for (const page of intent.pages) mapPages(stage, domain, page);
}

/** What a drawn attachment means. */
export function attachmentOf(stage: Stage, to: number, quiet: number): Attachment {
  const faultDisable = quiet === 0;
  if (to === PASS_THROUGH_PICK && stage.plan.platform.passThrough) return { domain: undefined, faultDisable };
  return { domain: to % Math.max(1, stage.plan.domains.length), faultDisable };
}

/** Attaches a requester to what was drawn. */
export function attach(stage: Stage, seat: Seat, to: number, quiet: number): void {
  stage.plan.attach(seat, attachmentOf(stage, to, quiet));
}

/** Builds the tables that the case starts with, in memory: nothing is latched yet. */
export function setUp(stage: Stage, intents: Pick<CaseIntents, 'domains' | 'attach'>): void {
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  intents.domains.forEach((domain, number) => {
    addDomain(stage, domain, number);
  });
  plan.seats.forEach((seat, number) => {
    const { to, quiet } = intents.attach[number % intents.attach.length]!;
    attach(stage, seat, to, quiet);
  });
  plan.memory.commit(script);
}
