import fc from 'fast-check';
import type { DmaObservation } from '../spec/interface/observations.js';
import type { Profile } from '../spec/interface/profile.js';
import type { History } from '../spec/interface/scenario.js';
import { FRCD_FIELDS } from '../spec/layout/vtd.js';
import type { Built, Property, Violation } from '../src/harness/property.js';
import { type ChangeDraw, change, heal } from './generators/cached-changes.js';
import { accessDraws, changeDraws, worldDraws } from './generators/cached-draws.js';
import { type AccessDraw, Rounds } from './generators/cached-rounds.js';
import type { CachedWorldDraw } from './generators/cached-world.js';
import { field, platformOf, unsuitable } from './generators/capabilities.js';

/** What is drawn of a comparison: an entry on the way, what warms the caches, and the request that is sent twice. */
interface CompareDraw {
  readonly who: number;
  readonly place: number;
  readonly change: ChangeDraw;
  /** Fault processing is disabled in the context entry for 0. */
  readonly quiet: number;
  readonly warm: readonly AccessDraw[];
  readonly request: AccessDraw;
}

interface CompareCase {
  readonly world: CachedWorldDraw;
  readonly rounds: readonly CompareDraw[];
}

/** Indices of the two requests; the high half of the first fault record is read `RECORD_AFTER` operations later. */
interface Pair {
  readonly cold: number;
  readonly warm: number;
}

/** FSTS, then both halves of the record. */
const RECORD_AFTER = 3;

function compare(rounds: Rounds, draw: CompareDraw): Pair | undefined {
  const { world } = rounds;
  const focus = rounds.focusOf(draw);
  heal(world, focus);
  const word = world.contextOf(focus.requester);
  world.setContext(word, { ...world.meaning(word), faultDisable: draw.quiet === 0 });
  if (draw.change.how < 24) change(world, focus, draw.change);
  world.flush();
  const request = { ...draw.request, who: 0, where: 0 };
  const cold = rounds.access(focus, request);
  for (const each of draw.warm) rounds.access(focus, { ...each, write: 1 });
  const warm = rounds.access(focus, request);
  // Only a request that comes to the same place twice can be compared.
  return cold < 0 || warm < 0 ? undefined : { cold, warm };
}

function build(profile: Profile, intents: CompareCase): Built {
  // Faults are collected after every request.
  const rounds = new Rounds(platformOf(profile), { world: intents.world, collect: 0, rounds: [] });
  const pairs = intents.rounds.flatMap((each) => compare(rounds, each) ?? []);
  for (const _ of pairs) rounds.count('made:pair');
  rounds.finish();
  return {
    scenario: { level: 'operations', start: 'ready', operations: rounds.world.script.operations },
    labels: rounds.labels,
    expectation: pairs,
  };
}

/** The record that was read after a request: reason and type, or `undefined` without a fault. */
function recorded({ steps }: History, at: number): string | undefined {
  const observation = steps[at + RECORD_AFTER]?.observation;
  if (observation?.of !== 'regRead' || observation.value === undefined) return undefined;
  const high = (name: 'F' | 'FR' | 'T1'): bigint => {
    const [top, low] = FRCD_FIELDS[name];
    return field(observation.value!, [top - 64, low - 64]);
  };
  return high('F') === 0n ? undefined : `reason ${high('FR').toString(16)}h, T1=${high('T1')}`;
}

/** What a device saw of a request, as far as it can be told. */
function seen({ steps }: History, at: number): string | undefined {
  const observation = steps[at]?.observation as Partial<DmaObservation> | undefined;
  if (observation?.status === undefined) return undefined;
  if (observation.status !== 'ok' || observation.data === undefined) return observation.status;
  return `ok, ${Buffer.from(observation.data).toString('hex')}`;
}

/** The first pair of equal requests that ended, or were reported, differently. */
export function changedByWarmth(history: History, pairs: readonly Pair[]): Violation | undefined {
  for (const { cold, warm } of pairs) {
    for (const [what, look] of [
      ['end', seen],
      ['report', recorded],
    ] as const) {
      const first = look(history, cold);
      const second = look(history, warm);
      if (first === undefined || second === undefined || first === second) continue;
      return {
        clause: 'VTD-CACHE-004',
        discriminator: `${what} on cold caches→another on warm caches`,
        at: warm,
        expected: first,
        observed: second,
      };
    }
  }
  return undefined;
}

/** A request ends alike on cold and on warm caches. */
export const warmCold: Property<CompareCase> = {
  id: 'warm-cold',
  claim: 'The same request ends alike and is reported alike on cold and on warm caches: rights, FPD, reserved bits.',
  clauses: [
    'VTD-CACHE-001',
    'VTD-CACHE-004',
    'VTD-CACHE-005',
    'VTD-SS-004',
    'VTD-SS-005',
    'VTD-SS-010',
    'VTD-CTX-011',
    'VTD-FLT-003',
    'VTD-FLT-004',
  ],
  notApplicable: unsuitable,
  intents: () =>
    fc.noBias(
      fc.record({
        world: worldDraws(),
        rounds: fc.array(
          fc.record({
            who: fc.nat(7),
            place: fc.nat(2),
            change: changeDraws().map((each) => (each.at === 'pointer' ? { ...each, at: 'leaf' as const } : each)),
            quiet: fc.nat(5),
            warm: fc.array(accessDraws(), { minLength: 1, maxLength: 3, size: 'max' }),
            request: accessDraws(),
          }),
          { minLength: 2, maxLength: 6, size: 'max' },
        ),
      }),
    ),
  build,
  violated: (history, built) => changedByWarmth(history, built.expectation as readonly Pair[]),
  minimumShares: () => ({ 'made:pair': 0.15, read: 0.2, write: 0.02 }),
};
