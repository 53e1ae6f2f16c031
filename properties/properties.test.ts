import { describe, expect, it, test } from 'vitest';
import type { Observation } from '../spec/interface/observations.js';
import type { Operation } from '../spec/interface/operations.js';
import type { Target } from '../spec/interface/target.js';
import { type ShapeName, shapeOf } from '../src/engine/index.js';
import type { Property } from '../src/harness/property.js';
import { checkProperty, PropertyFailed } from '../src/harness/vitest.js';
import { driveHypervisor } from '../src/hypervisor/drive.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { engineProfile } from '../src/targets/engine-profile.js';
import { properties } from './index.js';

const SHAPES = ['39-4k', '39-2m', '39-1g', '48-4k', '48-2m', '48-1g', '57-4k', '57-2m', '57-1g'];

describe.each(SHAPES)('engine %s', (shape) => {
  it.each(properties)('$id holds', async (property) => {
    const target = createEngineTarget({ shape });
    const checked = await checkProperty(target, property, {
      judge: createJudge(),
      cases: 8,
      seed: 7,
      sweep: 60,
      drive: driveHypervisor,
    });
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
function crooked({ operation = (same) => same, observation = (same) => same }: Crookedness, shape: ShapeName): Target {
  const target = createEngineTarget({ shape });
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

/** An observed register value with some bits inverted. */
function inverted(register: string, bits: bigint): Crookedness {
  return {
    observation: (observation, operation) =>
      operation.op === 'regRead' &&
      operation.register === register &&
      observation.of === 'regRead' &&
      observation.value !== undefined
        ? { ...observation, value: observation.value ^ bits }
        : observation,
  };
}

/** A command that latches a root, turned into one that changes nothing. */
function latchNothing(operation: Operation): Operation {
  const latches = operation.op === 'regWrite' && operation.register === 'GCMD' && typeof operation.value === 'bigint';
  return latches ? { ...operation, value: (operation.value as bigint) & ~(1n << 30n) } : operation;
}

/** Status data of waits that never appears: single words read as zero. */
function noStatus(observation: Observation, operation: Operation): Observation {
  if (operation.op !== 'load' || operation.bytes !== 8 || observation.of !== 'load') return observation;
  return { ...observation, data: new Uint8Array(8) };
}

/** Address bits at or above 2^HAW that are cut off instead of being refused. */
const cutOff: Crookedness = {
  operation: (each) => (each.op === 'dma' ? { ...each, address: each.address & ((1n << 39n) - 1n) } : each),
};

/** A zero-length read that needs what any read needs. */
const plainReads: Crookedness = {
  operation: (each) => (each.op === 'dma' && each.bytes === 0 ? { ...each, bytes: 4 } : each),
  observation: (observation, operation) =>
    operation.op === 'dma' && operation.bytes === 0 && observation.of === 'dma' && observation.data !== undefined
      ? { ...observation, data: new Uint8Array(0) }
      : observation,
};

/** SNP that forces nothing. */
const snoopIgnored: Crookedness = {
  observation: (observation, operation) =>
    operation.op === 'dma' && operation.noSnoop === true && observation.of === 'dma' && observation.snooped === true
      ? { ...observation, snooped: false }
      : observation,
};

/** Regions that end a unit too early. */
const shortRegions: Crookedness = {
  operation: (each) => {
    const limit = each.op === 'regWrite' && /^P[LH]MLIMIT$/.test(each.register) ? each : undefined;
    if (limit === undefined || typeof limit.value !== 'bigint') return each;
    const ones = limit.value >= 0xffff_ffffn;
    return ones || limit.value === 0n ? each : { ...limit, value: limit.value - 0x2_0000n };
  },
};

/** Where a property needs more than the shape of the others has. */
const SHAPE_OF: Readonly<Record<string, ShapeName>> = { snoop: '57-1g', 'protected-memory': '57-4k' };

function shapeFor(property: Property): ShapeName {
  return SHAPE_OF[property.id] ?? '48-1g';
}

test('each property applies to the shape on which it is broken', () => {
  const reasons = properties.map((each) => each.notApplicable?.(engineProfile(shapeOf(shapeFor(each)))));
  expect(reasons.filter((reason) => reason !== undefined)).toEqual([]);
});

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
    'stale-window': {
      operation: (each, nth) => (each.op === 'dma' && nth > 60 ? { ...each, address: each.address ^ page } : each),
    },
    'frame-reuse': {
      operation: (each) => (each.op === 'dma' && each.requester === 'edu1' ? { ...each, requester: 'edu0' } : each),
    },
    'warm-cold': { observation: otherReason },
    'fault-record': { operation: clearNothing },
    'fault-log': { operation: clearNothing },
    'fault-event': inverted('FECTL', 1n << 30n),
    'register-access': inverted('FEDATA', 1n << 16n),
    'global-commands': { operation: latchNothing },
    'invalidation-queue': inverted('IQH', 0x10n),
    'queued-invalidation': { observation: noStatus },
    'pass-through': cutOff,
    'zero-length': plainReads,
    snoop: snoopIgnored,
    'protected-memory': shortRegions,
  };

  it.each(properties)('$id', async (property) => {
    const target = crooked(broken[property.id] ?? {}, shapeFor(property));
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
