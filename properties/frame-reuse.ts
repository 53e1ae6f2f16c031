import fc from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { History, Step } from '../spec/interface/scenario.js';
import { tokenBytes } from '../spec/layout/tokens.js';
import type { Built, Property, Violation } from '../src/harness/property.js';
import { accessDraws, coverDraws, worldDraws } from './generators/cached-draws.js';
import { FrameReuse, type ReuseCase, type Secret } from './generators/cached-reuse.js';
import { platformOf, unsuitable } from './generators/capabilities.js';

function build(profile: Profile, intents: ReuseCase): Built {
  const reuse = new FrameReuse(platformOf(profile), intents);
  for (const each of intents.rounds) reuse.round(each);
  reuse.rounds.finish();
  const { world, labels } = reuse.rounds;
  return {
    scenario: { level: 'operations', start: 'ready', operations: world.script.operations },
    labels,
    expectation: reuse.secrets,
  };
}

/** Whether 32-bit words at multiples of 4 hold a secret's mark. */
function holds(data: Uint8Array, mark: number): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 4 <= data.length; at += 4) if (view.getUint32(at, true) === mark) return true;
  return false;
}

/** Whether memory holds a write of a requester that must not reach the frame. */
function written(history: History, { operation }: Step, load: Step, secret: Secret): boolean {
  if (operation.op !== 'dma' || load.operation.op !== 'load' || load.observation.of !== 'load') return false;
  const { data } = load.observation;
  const from = Number(secret.address - load.operation.address) + Number(operation.address & 0xfffn);
  if (data === undefined || from < 0 || from + operation.bytes > data.length) return false;
  const position = history.profile.requesters.findIndex(({ id }) => id === operation.requester);
  const token = tokenBytes(position, operation.token, operation.bytes);
  return Buffer.compare(token, data.subarray(from, from + operation.bytes)) === 0;
}

/** The first byte that went between a frame and one who lost it. */
export function leak(history: History, secrets: readonly Secret[]): Violation | undefined {
  for (const secret of secrets) {
    for (let at = secret.from; at < Math.min(secret.until, history.steps.length); at++) {
      const step = history.steps[at]!;
      const { operation, observation } = step;
      if (operation.op !== 'dma' || !secret.strangers.includes(operation.requester)) continue;
      const read = observation.of === 'dma' && observation.data !== undefined && holds(observation.data, secret.mark);
      const load = history.steps[secret.load];
      const wrote = operation.direction === 'write' && load !== undefined && written(history, step, load, secret);
      if (!(operation.direction === 'read' ? read : wrote)) continue;
      return {
        clause: 'VTD-CACHE-004',
        discriminator: `frame of another domain: out of reach→${operation.direction === 'read' ? 'read' : 'written'}`,
        at,
        expected: `${operation.requester} no longer reaches the frame at 0x${secret.address.toString(16)}`,
        observed: operation.direction === 'read' ? 'what the frame held afterwards' : 'its token in the frame',
      };
    }
  }
  return undefined;
}

/** A frame that was unmapped, invalidated and given away is out of reach. */
export const frameReuse: Property<ReuseCase> = {
  id: 'frame-reuse',
  claim:
    'Once a frame was unmapped and the invalidation seen complete, it may be given to another domain: nobody of the first reads or writes a byte of it.',
  clauses: [
    'VTD-CACHE-004',
    'VTD-CACHE-013',
    'VTD-INV-001',
    'VTD-INV-002',
    'VTD-INV-003',
    'VTD-FLT-001',
    'VTD-FLT-002',
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
            taker: fc.nat(7),
            how: fc.nat(11),
            pick: fc.nat(63),
            cover: coverDraws(),
            pace: fc.nat(15),
            warm: fc.array(accessDraws(), { minLength: 1, maxLength: 3, size: 'max' }),
            between: fc.array(accessDraws(), { maxLength: 1, size: 'max' }),
            theirs: fc.array(accessDraws(), { minLength: 1, maxLength: 2, size: 'max' }),
            after: fc.array(accessDraws(), { minLength: 2, maxLength: 4, size: 'max' }),
          }),
          { minLength: 1, maxLength: 4, size: 'max' },
        ),
      }),
    ),
  build,
  violated: (history, built) => leak(history, built.expectation as readonly Secret[]),
  minimumShares: () => ({ 'window:invalidated': 0.1, 'made:taken': 0.2, 'made:theirs': 0.05 }),
};
