import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { FRAME, type Platform, platformOf, type Width, withoutNoSnoop } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import { READ_WRITE } from './generators/entries.js';
import type { CaseIntents, Recipe, SlotIntent } from './generators/intents.js';
import { Stage } from './generators/stage.js';

const RECIPE: Recipe = {
  weights: { dma: 20, snoop: 10, map: 2, remap: 1, attach: 3, split: 1, rights: 1, break: 2, repair: 2, flush: 1 },
  noSnoop: true,
};

const SLOT: SlotIntent = { edge: 1, share: 0, indices: [3, 5, 7, 9, 11] };

interface Point {
  readonly width: Width;
  /** Level of the leaves. */
  readonly level: number;
}

function pointsOf(platform: Platform): readonly Point[] {
  return platform.widths.flatMap((width) => platform.leafLevels.map((level) => ({ width, level })));
}

/** Requests with and without the attribute to two pages, one with SNP where there is snoop control, and in pass-through. */
function buildPoint(profile: Profile, { width, level }: Point): Built {
  const platform = platformOf(profile);
  const stage = new Stage(platform, [SLOT], 0);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(width, plan.freeDomainId(3n))!;
  const first = stage.slotAddress(domain, 0, level);
  const size = 1n << BigInt(12 + 9 * (level - 1));
  const outs = [0n, size].map((offset) => {
    const out = plan.pageOfData(plan.memory.takeData(), level);
    const mapping = plan.map(domain, first + offset, level, READ_WRITE, out)!;
    if (offset !== 0n && platform.snoopControl) {
      const leaf = mapping.entries.at(-1)!;
      plan.putEntry(leaf, plan.memory.read(leaf) | (1n << 11n));
    }
    return mapping;
  });
  const [seat, other] = [plan.seat(0), plan.seat(1)];
  plan.attach(seat, { domain: 0, faultDisable: false });
  if (platform.passThrough) plan.attach(other, { domain: undefined, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  for (const write of [false, true]) {
    for (const noSnoop of [false, true]) {
      for (const mapping of outs) {
        const inside = (plan.dataIn(mapping, 3) ?? mapping.out) - mapping.out;
        stage.send(seat, { address: mapping.iova + inside + 0x40n, bytes: 16, write, noSnoop });
      }
      if (level === 1) stage.send(seat, { address: first + FRAME - 8n, bytes: 16, write, noSnoop });
      if (!platform.passThrough) continue;
      const address = plan.memory.frameAddress(plan.memory.dataFrame(5)) + 0x80n;
      stage.send(other, { address, bytes: 16, write, noSnoop });
    }
  }
  stage.finish();
  return { scenario: { level: 'operations', start: 'ready', operations: script.operations }, labels: stage.labels };
}

/** What has to be snooped is snooped. */
export const snoop: Property<CaseIntents> = {
  id: 'snoop',
  claim:
    'An access is snooped unless its request has the no-snoop attribute, and even then where the leaf has SNP=1 and the unit snoop control.',
  clauses: ['VTD-SNP-001', 'VTD-SNP-R01'],
  notApplicable: withoutNoSnoop,
  sweep: (profile) => {
    const points = pointsOf(platformOf(profile));
    return { size: points.length, at: (index) => buildPoint(profile, points[index]!) };
  },
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents),
  minimumShares: (profile) => ({
    read: 0.2,
    write: 0.2,
    'made:no-snoop': 0.3,
    ...(platformOf(profile).snoopControl ? { 'snoop:forced': 0.05 } : {}),
  }),
};
