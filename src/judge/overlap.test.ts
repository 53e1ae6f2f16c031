import { describe, expect, it } from 'vitest';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { History } from '../../spec/interface/scenario.js';
import { paintWord } from '../../spec/layout/tokens.js';
import { createEngineTarget } from '../targets/engine.js';
import { chain, dma, flush, frame, historyOf, store } from './fixtures.js';
import { judge } from './index.js';

const target = createEngineTarget();

/** What a device reads in a frame. */
function held(number: number): Partial<Observation> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const word of [0, 1]) view.setBigUint64(word * 8, paintWord(frame(number) + BigInt(word * 8)), true);
  return { status: 'ok', data: bytes } as Partial<Observation>;
}

/** A request that is refused; the record that it leaves is not looked at. */
const refused = { status: 'unsupported-request', data: undefined, snooped: undefined } as Partial<Observation>;

/**
 * The verdict when the operations of a history run from the first to the last of `together` (counted from the end) at
 * the same time as those between, and the last request shows something else.
 */
async function verdict(
  operations: readonly Operation[],
  together: readonly [number, number] | undefined,
  shown: Partial<Observation>,
): Promise<string> {
  const history = await historyOf(target, operations);
  const last = history.steps.findLastIndex(({ operation }) => operation.op === 'dma');
  const steps = history.steps.map((step, at): History['steps'][number] => {
    const ends = together !== undefined && at === history.steps.length - together[0];
    const complete = ends ? 10 * (history.steps.length - together[1]) + 5 : 10 * at + 1;
    const seen = at === last ? { ...step.observation, ...shown } : step.observation;
    return { ...step, observation: { ...seen, begin: 10 * at, complete } as Observation };
  });
  return judge({ ...history, steps }).verdict;
}

describe('a store that takes a while', () => {
  const map = store(frame(5) + 16n, frame(10) | 3n);
  const move = store(frame(5), frame(10) | 3n);

  it('may be seen, or not yet, by a request that begins before it ends', async () => {
    const operations = [...chain(), map, dma('read', 0x2000n)];
    expect(await verdict(operations, [2, 1], refused)).toBe('conformant');
    expect(await verdict(operations, [2, 1], held(10))).toBe('conformant');
    expect(await verdict(operations, undefined, refused)).toBe('deviant');
  });

  it('may be seen by a request that ends after it began', async () => {
    const operations = [...chain(), dma('read', 0x2000n), map];
    expect(await verdict(operations, [2, 1], held(10))).toBe('conformant');
    expect(await verdict(operations, [2, 1], refused)).toBe('conformant');
    expect(await verdict(operations, undefined, held(10))).toBe('deviant');
  });

  it('is not sure to be invalidated by what was asked for before it ended', async () => {
    const operations = [...chain(), dma('read', 0n), move, ...flush, dma('read', 0n, 1)];
    expect(await verdict(operations, [6, 2], held(8))).toBe('conformant');
    expect(await verdict(operations, undefined, held(8))).toBe('deviant');
    expect(await verdict(operations, [6, 2], held(9))).toBe('deviant');
  });

  it('to what a request reads leaves it undecided, as does any other overlap', async () => {
    const data = store(frame(8), 1n);
    expect(await verdict([...chain(), data, dma('read', 0n)], [2, 1], held(8))).toBe('inconclusive');
    expect(await verdict([...chain(), dma('read', 0x1000n), dma('read', 0n, 1)], [2, 1], held(8))).toBe('inconclusive');
  });
});
