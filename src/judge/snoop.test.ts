import { describe, expect, it } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import type { History, Step } from '../../spec/interface/scenario.js';
import { createEngineTarget } from '../targets/engine.js';
import { chain, dma, frame, historyOf } from './fixtures.js';
import { judge } from './index.js';

const SNP = 1n << 11n;

/** The history of one request, with another observation of snooping. */
async function seen(shape: string, setup: readonly Operation[], request: Operation, snooped: boolean | undefined) {
  const history: History = await historyOf(createEngineTarget({ shape }), [...setup, request]);
  const last = history.steps.at(-1)!;
  if (last.observation.of !== 'dma') throw new Error('no request');
  const { snooped: _, ...rest } = last.observation;
  const observation = snooped === undefined ? rest : { ...rest, snooped };
  return judge({ ...history, steps: [...history.steps.slice(0, -1), { ...last, observation } as Step] });
}

const noSnoop = (operation: Operation): Operation => ({ ...operation, noSnoop: true }) as Operation;
const forced = chain(frame(8) | 3n | SNP);

describe('snooping', () => {
  it('is due without the attribute', async () => {
    expect(await seen('57-1g', chain(), dma('read', 0n), true)).toMatchObject({
      verdict: 'conformant',
      clauses: { 'VTD-SNP-R01': 1 },
    });
    expect((await seen('57-1g', chain(), dma('write', 0n), false)).finding).toMatchObject({
      clause: 'VTD-SNP-R01',
      kind: 'not-snooped',
      discriminator: 'page:4K, NS=0: snooped→not snooped',
      certain: true,
    });
    const passThrough = chain(frame(8) | 3n, frame(2) | 1n | (2n << 2n));
    expect((await seen('57-1g', passThrough, dma('read', frame(9)), false)).finding).toMatchObject({
      clause: 'VTD-SNP-R01',
      discriminator: 'pass-through, NS=0: snooped→not snooped',
    });
  });

  it('is due with it where SNP forces it', async () => {
    expect(await seen('57-1g', forced, noSnoop(dma('read', 0n)), true)).toMatchObject({
      verdict: 'conformant',
      clauses: { 'VTD-SNP-001': 1 },
      labels: { 'snoop:forced': 1 },
    });
    expect((await seen('57-1g', forced, noSnoop(dma('write', 0n)), false)).finding).toMatchObject({
      clause: 'VTD-SNP-001',
      kind: 'not-snooped',
      discriminator: 'page:4K, SNP=1, NS=1: snooped→not snooped',
    });
  });

  it('may be more than is due, or not be seen', async () => {
    for (const snooped of [true, false, undefined]) {
      const judgement = await seen('57-1g', chain(), noSnoop(dma('read', 0n)), snooped);
      expect(judgement).toMatchObject({ verdict: 'conformant' });
      expect(judgement.clauses['VTD-SNP-001']).toBeUndefined();
    }
    const unseen = await seen('57-1g', forced, noSnoop(dma('read', 0n)), undefined);
    expect(unseen.verdict).toBe('conformant');
    expect(unseen.clauses['VTD-SNP-001']).toBeUndefined();
  });

  it('is due for a crossing request where it is due for each page', async () => {
    const crossing = noSnoop(dma('read', 0xff8n));
    expect((await seen('57-1g', forced, crossing, false)).verdict).toBe('conformant');
    const both = [...forced, { op: 'store', address: frame(5) + 8n, words: [frame(9) | 3n | SNP] } as const];
    const rooted = [...both.slice(0, 13).filter(({ op }) => op === 'store'), both.at(-1)!, ...both.slice(12, -1)];
    expect((await seen('57-1g', rooted, crossing, false)).finding).toMatchObject({ clause: 'VTD-SNP-001' });
  });

  it('is no matter of a blocked request', async () => {
    expect((await seen('57-1g', chain(0n), dma('read', 0n), true)).verdict).toBe('deviant');
  });
});
