import { describe, expect, it } from 'vitest';
import type { Observation } from '../spec/interface/observations.js';
import type { Operation } from '../spec/interface/operations.js';
import type { Target } from '../spec/interface/target.js';
import { checkProperty, PropertyFailed } from '../src/harness/vitest.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { properties } from './index.js';

const SHAPES = ['39-4k', '39-2m', '39-1g', '48-4k', '48-2m', '48-1g', '57-4k', '57-2m', '57-1g'];

describe.each(SHAPES)('engine %s', (shape) => {
  it.each(properties)('$id holds', async (property) => {
    const target = createEngineTarget({ shape });
    const checked = await checkProperty(target, property, { judge: createJudge(), cases: 8, seed: 7, sweep: 60 });
    if (checked.notApplicable === undefined) expect(checked.cases + checked.swept).toBeGreaterThan(0);
    expect(checked.inconclusive).toBeLessThanOrEqual(1);
  });
});

/** What a broken unit does to an operation before it is executed, and to what is seen of it. */
interface Crookedness {
  readonly operation?: (operation: Operation, nth: number) => Operation;
  readonly observation?: (observation: Observation, operation: Operation) => Observation;
}

/** The engine with something broken. */
function crooked({ operation = (same) => same, observation = (same) => same }: Crookedness): Target {
  const target = createEngineTarget({ shape: '48-1g' });
  let nth = 0;
  return {
    id: target.id,
    describe: () => target.describe(),
    begin: (start, options) => {
      nth = 0;
      return target.begin(start, options);
    },
    run: async (operations, options) => {
      const result = await target.run(
        operations.map((each) => operation(each, nth++)),
        options,
      );
      return { ...result, observations: result.observations.map((seen, at) => observation(seen, operations[at]!)) };
    },
    finish: () => target.finish(),
    close: () => target.close(),
  };
}

/** A write that clears a fault record, turned into one that clears nothing. */
function clearNothing(operation: Operation): Operation {
  return operation.op === 'regWrite' && operation.register === 'FRCD' ? { ...operation, value: 0n } : operation;
}

/** A record whose reason 5h reads as 6h. */
function otherReason(observation: Observation, operation: Operation): Observation {
  const isRecord = operation.op === 'regRead' && operation.register === 'FRCD' && operation.offset === 8;
  if (!isRecord || observation.of !== 'regRead' || observation.value === undefined) return observation;
  const reason = (observation.value >> 32n) & 0xffn;
  return reason === 5n ? { ...observation, value: observation.value ^ (3n << 32n) } : observation;
}

/** FSTS that shows a fault pending always. */
function alwaysPending(observation: Observation, operation: Operation): Observation {
  const isStatus = operation.op === 'regRead' && operation.register === 'FSTS';
  if (!isStatus || observation.of !== 'regRead' || observation.value === undefined) return observation;
  return { ...observation, value: observation.value | 2n };
}

describe('each property fails when what it guards is broken', () => {
  const page = 0x1000n;
  const broken: Readonly<Record<string, Crookedness>> = {
    translation: { operation: (each) => (each.op === 'dma' ? { ...each, address: each.address ^ page } : each) },
    isolation: {
      operation: (each) => (each.op === 'dma' && each.requester === 'edu1' ? { ...each, requester: 'edu0' } : each),
    },
    'fault-reporting': { observation: otherReason },
    'fault-disable': { observation: alwaysPending },
    'entry-sweep': { observation: otherReason },
    'superpage-split': {
      operation: (each, nth) => (each.op === 'dma' && nth > 40 ? { ...each, address: each.address ^ page } : each),
    },
    'fault-record': { operation: clearNothing },
  };

  it.each(properties)('$id', async (property) => {
    const target = crooked(broken[property.id] ?? {});
    const check = checkProperty(target, property, {
      judge: createJudge(),
      cases: 40,
      seed: 3,
      sweep: 300,
      shrinkAttempts: 0,
    });
    await expect(check).rejects.toThrow(PropertyFailed);
  });
});
