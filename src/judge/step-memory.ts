import type { Evidence } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { LoadOperation } from '../../spec/interface/operations.js';
import type { Bench } from './bench.js';
import { replacedAfter } from './overlap.js';
import { onward, type Way, type World } from './world.js';

/** `admitted`: what the specification allows. `deviant`: departures that would explain the observation. */
export type Mode = 'admitted' | 'deviant';

/** PLAT-MEM-001: a store is visible as it was made; what it replaces may be read for as long as it takes. */
export function stored(
  bench: Bench,
  world: World,
  at: number,
  address: bigint,
  bytes: Uint8Array,
  mode: Mode,
): readonly Way[] {
  if (mode === 'deviant') return [];
  const last = replacedAfter(bench.overlaps, at);
  const until = last === at ? at : last + 0.5;
  const memory = world.memory.store(Number(address), bytes, at, 's', undefined, until);
  return [{ world: onward(world, { memory }), evidence: [] }];
}

/** PLAT-MEM-001: memory holds what was last stored by software or by an admitted request. */
export function loaded(
  bench: Bench,
  world: World,
  at: number,
  load: LoadOperation,
  observation: Observation,
  mode: Mode,
): readonly Way[] {
  const seen = observation.of === 'load' ? observation.data : undefined;
  const unknown = bench.units.some(({ key, model }) => model.unknown(world.states[key]) !== undefined);
  const known = seen !== undefined && world.lost === undefined && !unknown;
  const first = known ? world.memory.differenceFrom(seen, Number(load.address)) : undefined;
  if (seen === undefined || first === undefined)
    return mode === 'admitted' ? [{ world: onward(world, {}), evidence: [] }] : [];
  if (first < 0) {
    return mode === 'admitted'
      ? [{ world: onward(world, {}, { clauses: ['PLAT-MEM-001'], labels: [], evidence: [] }), evidence: [] }]
      : [];
  }
  if (mode === 'admitted') return [];
  const word = first & ~7;
  const address = load.address + BigInt(word);
  const observedWord = seen.subarray(word, word + 8);
  const shownHeld = hexText(world.memory.bytes(Number(address), observedWord.length)!);
  const shownSeen = hexText(observedWord);
  const evidence: readonly Evidence[] = [
    { what: 'memory', address, reading: `expected bytes ${shownHeld}, observed ${shownSeen}` },
  ];
  const observed = isToken(seen, first) ? 'bytes of a request' : 'other bytes';
  const memory = world.memory.store(Number(load.address), seen, at, 'seen');
  const own = world.memory.clauseAt(Number(address) + (first & 7));
  const reasons = bench.units.map(({ key, model }) => model.missingStore(world.states[key], world.memory.view(at)));
  const identity =
    own === undefined
      ? { clause: 'PLAT-MEM-001', kind: 'memory-differs', discriminator: `arena: last store→${observed}` }
      : (reasons.find((reason) => reason !== undefined) ?? {
          clause: own,
          kind: 'memory-differs',
          discriminator: `store of the unit→${observed}`,
        });
  return [
    {
      world: onward(world, { memory }, { clauses: [], labels: [], evidence }),
      evidence,
      deviation: {
        identities: [identity],
        expected: `${shownHeld} at 0x${address.toString(16)}`,
        observed: shownSeen,
      },
    },
  ];
}

/** Whether the 32-bit piece around a byte looks like part of a token. */
function isToken(bytes: Uint8Array, at: number): boolean {
  const piece = at & ~3;
  return ((bytes[piece + 3] ?? 0) & 0xf0) === 0xd0 && bytes[piece + 1] === 0;
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
