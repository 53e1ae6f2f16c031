import type { Deviation, MemoryView } from '../../spec/interface/model.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Bench } from './bench.js';
import { requested } from './requested.js';
import type { Mode } from './step-memory.js';
import { onward, type Way, type World } from './world.js';

/** PCI-MSI-002: software programs a function's MSI capability. */
export function configured(world: World): Way {
  return { world: onward(world, {}, { clauses: ['PCI-MSI-002'], labels: [], evidence: [] }), evidence: [] };
}

/** PCI-MSI-001: a function's interrupt is the message that its MSI capability holds, or none. */
export function signalled(
  bench: Bench,
  world: World,
  at: number,
  observation: Observation,
  view: MemoryView,
  mode: Mode,
): readonly Way[] {
  const clauses = ['PCI-MSI-001'];
  const sent = bench.functions.sent.get(at);
  if (sent === undefined) {
    return mode === 'admitted'
      ? [{ world: onward(world, {}, { clauses, labels: [], evidence: [] }), evidence: [] }]
      : [];
  }
  if (mode === 'admitted') return resting(requested(bench, world, at, sent, observation, view, mode), clauses);
  const { messages = [], begin, complete } = observation;
  const unseen: Observation = { of: 'signal', begin, complete };
  const shown = messages.map(({ address, data }) => `${hex(data)} to ${hex(address)}`).join(', ');
  const deviation: Deviation = {
    identities: [
      {
        clause: 'PCI-MSI-001',
        kind: 'message-differs',
        discriminator: shown === '' ? 'message→none' : 'message→other',
      },
    ],
    expected: `${hex(sent.data)} to ${hex(sent.address)}, as the MSI capability says`,
    observed: shown === '' ? 'no message' : shown,
  };
  const interrupts = messages.map(({ address }) => address);
  return requested(bench, world, at, sent, unseen, view, 'admitted').map((way) => ({ ...way, interrupts, deviation }));
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Ways whose last step also rests on these clauses. */
function resting(ways: readonly Way[], clauses: readonly string[]): readonly Way[] {
  return ways.map((way) => {
    const { trail } = way.world;
    if (trail === undefined) return way;
    return { ...way, world: { ...way.world, trail: { ...trail, clauses: [...trail.clauses, ...clauses] } } };
  });
}
