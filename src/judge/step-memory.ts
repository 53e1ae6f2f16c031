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
  const held = world.lost === undefined && !unknown ? world.memory.bytes(Number(load.address), load.bytes) : undefined;
  if (seen === undefined || held === undefined)
    return mode === 'admitted' ? [{ world: onward(world, {}), evidence: [] }] : [];
  if (Buffer.compare(held, seen) === 0) {
    return mode === 'admitted'
      ? [{ world: onward(world, {}, { clauses: ['PLAT-MEM-001'], labels: [], evidence: [] }), evidence: [] }]
      : [];
  }
  if (mode === 'admitted') return [];
  const first = firstDifference(held, seen);
  const word = first & ~7;
  const address = load.address + BigInt(word);
  const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(word, word + 8)).toString('hex');
  const evidence: readonly Evidence[] = [
    { what: 'memory', address, reading: `expected bytes ${show(held)}, observed ${show(seen)}` },
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
        expected: `${show(held)} at 0x${address.toString(16)}`,
        observed: show(seen),
      },
    },
  ];
}

/** Bytes compared at a time. */
const BLOCK = 4096;

/** Index of the first byte that differs; there is one. */
function firstDifference(held: Uint8Array, seen: Uint8Array): number {
  let at = 0;
  // Whole blocks first: a load may be of all memory.
  while (Buffer.compare(held.subarray(at, at + BLOCK), seen.subarray(at, at + BLOCK)) === 0) at += BLOCK;
  while (held[at] === seen[at]) at++;
  return at;
}

/** Whether the 32-bit piece around a byte looks like part of a token. */
function isToken(bytes: Uint8Array, at: number): boolean {
  const piece = at & ~3;
  return ((bytes[piece + 3] ?? 0) & 0xf0) === 0xd0 && bytes[piece + 1] === 0;
}
