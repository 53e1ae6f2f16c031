import { afterAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../../spec/interface/operations.js';
import { showsEarlierQueue } from './queue-use.js';
import { createQemuTarget } from './target.js';

const QUEUE = 0x0400_3000n;
const STATUS = 0x0400_4000n;
const unit = { component: 'iommu0' } as const;

function write(register: string, size: 4 | 8, value: bigint): Operation {
  return { op: 'regWrite', ...unit, register, size, value };
}

function read(register: string, size: 4 | 8): Operation {
  return { op: 'regRead', ...unit, register, size };
}

const QUEUE_ON = write('GCMD', 4, 0x8400_0000n);
const QUEUE_OFF = write('GCMD', 4, 0x8000_0000n);

/** A wait that stores 7, and one whose completion event is masked; everything about the queue is left behind. */
const USED: readonly Operation[] = [
  { op: 'store', address: STATUS, words: [0n] },
  { op: 'store', address: QUEUE, words: [0x7_0000_0025n, STATUS, 0x15n, 0n] },
  write('IEDATA', 4, 0x41n),
  write('IEADDR', 4, 0xfee0_2000n),
  write('IEUADDR', 4, 0x3n),
  write('IQT', 8, 0n),
  write('IQA', 8, QUEUE | 1n),
  QUEUE_ON,
  write('IQT', 8, 0x20n),
  { op: 'load', address: STATUS, bytes: 8 },
];

const LOOKED: readonly Operation[] = [
  ...['GSTS', 'ICS', 'IECTL', 'IEDATA', 'IEADDR', 'IEUADDR', 'FSTS', 'FECTL'].map((name) => read(name, 4)),
  ...['IQA', 'IQT', 'IQH', 'RTADDR'].map((name) => read(name, 8)),
];

describe('the invalidation queue of one scenario', () => {
  const target = createQemuTarget();
  afterAll(() => target.close());

  const values = async (operations: readonly Operation[], cold: boolean) => {
    expect(await target.begin('ready', { cold })).toBeUndefined();
    const { observations, failure } = await target.run(operations);
    expect(failure).toBeUndefined();
    expect((await target.finish()).failure).toBeUndefined();
    return observations.map((each) => ('value' in each ? each.value : 'data' in each ? each.data?.[0] : undefined));
  };

  it('leaves nothing that the next can see', async () => {
    const fresh = await values(LOOKED, true);
    const used = await values([...USED, ...LOOKED], false);
    expect(used[9], 'the status that the wait stored').toBe(7);
    expect(used.slice(USED.length)).not.toEqual(fresh);
    expect(await values(LOOKED, false)).toEqual(fresh);
  });

  it.each([
    ['switched on and off at once', [QUEUE_ON, QUEUE_OFF, read('GSTS', 4), ...LOOKED]],
    ['used again', [...USED, ...LOOKED]],
    ['left on after an error', [QUEUE_ON, write('IQT', 8, 0x7_fff0n), QUEUE_OFF, ...LOOKED]],
  ])('does not change what is seen of one that is %s', async (_what, operations) => {
    const fresh = await values(operations, true);
    await values([...USED, QUEUE_OFF], false);
    expect(await values(operations, false)).toEqual(fresh);
  });
});

describe('scenarios that would show an earlier queue', () => {
  const IQA = write('IQA', 8, QUEUE);
  it.each<[string, boolean, readonly Operation[]]>([
    ['never on', false, [IQA, QUEUE_OFF]],
    ['on for good', false, [QUEUE_ON]],
    ['off at once', true, [QUEUE_ON, QUEUE_OFF]],
    ['off after a descriptor', false, [IQA, write('IQT', 8, 0n), QUEUE_ON, write('IQT', 8, 0x30n), QUEUE_OFF]],
    ['off after a tail at the head', true, [QUEUE_ON, write('IQT', 8, 0n), QUEUE_OFF]],
    ['off after half a wide descriptor', true, [QUEUE_ON, write('IQT', 8, 0x10n), QUEUE_OFF]],
    ['off after a tail outside', true, [QUEUE_ON, write('IQT', 8, 0x1000n), write('IQT', 8, 0x20n), QUEUE_OFF]],
    ['off, perhaps', true, [QUEUE_ON, { op: 'regWrite', ...unit, register: 'GCMD', size: 4, value: { ref: 0 } }]],
  ])('%s: %s', (_what, shows, operations) => expect(showsEarlierQueue(operations)).toBe(shows));
});
