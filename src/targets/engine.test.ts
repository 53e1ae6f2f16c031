import { describe, expect, test } from 'vitest';
import type {
  DmaObservation,
  LoadObservation,
  Observation,
  ValueObservation,
} from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import { FRAME_BYTES, paintWord, tokenBytes } from '../../spec/layout/tokens.js';
import { SHAPE_NAMES } from '../engine/index.js';
import { createEngineTarget } from './engine.js';

const component = 'iommu0';
const ARENA = 0x0400_0000n;
const [ROOT, CONTEXT, TOP, MIDDLE, TABLE, PAGE] = [0n, 1n, 2n, 3n, 4n, 5n].map((n) => ARENA + n * 0x1000n) as [
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
];
const INPUT = 0x6000n;

function store(address: bigint, ...words: bigint[]): Operation {
  return { op: 'store', address, words };
}

function clear(address: bigint): Operation {
  return { op: 'store', address, words: [0n, 0n], repeat: 256 };
}

function dma(requester: string, direction: 'read' | 'write', address: bigint, token: number, bytes = 16): Operation {
  return { op: 'dma', requester, direction, address, bytes, token };
}

/** Gives edu0 one 4 KiB page at INPUT and latches the tables. */
const SETUP: readonly Operation[] = [
  ...[ROOT, CONTEXT, TOP, MIDDLE, TABLE].map(clear),
  store(ROOT + 0x10n, CONTEXT | 1n),
  store(CONTEXT, TOP | 1n, 1n),
  store(TOP, MIDDLE | 3n),
  store(MIDDLE, TABLE | 3n),
  store(TABLE + 48n, PAGE | 3n),
  { op: 'regWrite', component, register: 'RTADDR', size: 8, value: ROOT },
  { op: 'regWrite', component, register: 'GCMD', size: 4, value: 0xc000_0000n },
  { op: 'poll', component, register: 'GSTS', size: 4, mask: 0x4000_0000n, expect: 0x4000_0000n, limit: 10 },
];

async function run(operations: readonly Operation[], start: 'ready' | 'reset' = 'ready', shape?: string) {
  const target = createEngineTarget(shape === undefined ? {} : { shape });
  await target.begin(start);
  const { observations, failure } = await target.run(operations);
  expect(failure).toBeUndefined();
  expect(observations).toHaveLength(operations.length);
  return observations;
}

function last<T extends Observation>(observations: readonly Observation[], of: T['of']): T {
  return observations.findLast((observation) => observation.of === of) as T;
}

describe('engine target', () => {
  test.each(SHAPE_NAMES)('shape %s describes itself and starts', async (shape) => {
    const target = createEngineTarget({ shape });
    const profile = await target.describe();
    expect(profile.requesters.map(({ id, routingId }) => [id, routingId])).toEqual([
      ['edu0', 0x100],
      ['edu1', 0x101],
      ['edu2', 0x104],
      ['edu3', 0x200],
    ]);
    await target.begin('ready');
    const { observations } = await target.run([
      ...(['VER', 'CAP', 'ECAP'] as const).map(
        (register): Operation => ({ op: 'regRead', component, register, size: register === 'VER' ? 4 : 8 }),
      ),
      { op: 'regRead', component, register: 'GSTS', size: 4 },
      dma('edu0', 'write', 0n, 0),
    ]);
    const { VER, CAP, ECAP } = profile.components[component]!.registers;
    expect(observations.slice(0, 4)).toMatchObject([VER, CAP, ECAP, 0xc000_0000n].map((value) => ({ value })));
    expect(observations[4]).toMatchObject({ status: 'unsupported-request' });
  });

  test('an unknown shape is refused with the names there are', () => {
    expect(() => createEngineTarget({ shape: '48-2g' })).toThrow(/no engine shape "48-2g"; the shapes are .*48-1g/);
  });

  test('DMA goes where the tables say and a stranger is refused and recorded', async () => {
    const observations = await run([
      ...SETUP,
      dma('edu0', 'write', INPUT + 0x10n, 3),
      { op: 'load', address: PAGE, bytes: 40 },
      dma('edu0', 'read', INPUT + 0x18n, 4),
      dma('edu1', 'read', INPUT, 5, 4),
      { op: 'regRead', component, register: 'FSTS', size: 4 },
      { op: 'regRead', component, register: 'FRCD', index: { ref: 17, field: [15, 8] }, offset: 8, size: 8 },
    ]);
    const token = tokenBytes(0, 3, 16);
    const data = new BigUint64Array([0n, 8n, 0n, 0n, 32n].map((offset) => paintWord(PAGE + offset)));
    const expected = new Uint8Array(data.buffer);
    expected.set(token, 16);
    expect(last<LoadObservation>(observations, 'load').data).toEqual(expected);
    expect(observations.slice(-5)).toMatchObject([
      { of: 'load' },
      { status: 'ok', data: expected.slice(24, 40) },
      { status: 'unsupported-request', data: Uint8Array.of(255, 255, 255, 255) },
      { value: 2n },
      { value: 0xc000_0002_0000_0101n },
    ]);
    expect(observations.map(({ begin, complete }) => [begin, complete])).toEqual(
      observations.map((_, n) => [2 * n, 2 * n + 1]),
    );
  });

  test('messages of devices and of the unit belong to the operation that caused them', async () => {
    const observations = await run([
      ...SETUP,
      { op: 'regWrite', component, register: 'FEADDR', size: 4, value: 0xfee0_1000n },
      { op: 'regWrite', component, register: 'FEDATA', size: 4, value: 0x31n },
      { op: 'regWrite', component, register: 'FECTL', size: 4, value: 0n },
      { op: 'message', requester: 'edu2', address: 0xfee0_2000n, data: 0x1_0000_8041n },
      dma('edu3', 'write', 0xfee0_0004n, 7, 4),
      dma('edu3', 'write', 0xfee0_0004n, 8, 8),
      { op: 'settle' },
      { op: 'message', requester: 'edu0', address: INPUT + 8n, data: 0xabcd_0123n },
      { op: 'load', address: PAGE + 8n, bytes: 8 },
    ]);
    expect(observations.slice(-6).map(({ messages }) => messages)).toEqual([
      [{ address: 0xfee0_2000n, data: 0x8041n, source: 0x104 }],
      [{ address: 0xfee0_0004n, data: 0xd307_0040n, source: 0x200 }],
      [{ address: 0xfee0_1000n, data: 0x31n }],
      [],
      [],
      [],
    ]);
    const paint = new Uint8Array(new BigUint64Array([paintWord(PAGE + 8n)]).buffer);
    expect(last<LoadObservation>(observations, 'load').data).toEqual(
      Uint8Array.of(0x23, 0x01, 0xcd, 0xab, ...paint.slice(4)),
    );
  });

  test('a zero-length read asks for translation and receives nothing', async () => {
    const writeOnly = store(TABLE + 48n, PAGE | 2n);
    const reads = [dma('edu0', 'read', INPUT + 0xfffn, 1, 0), dma('edu0', 'read', INPUT + 0x1000n, 2, 0)];
    const none = new Uint8Array(0);
    expect((await run([...SETUP, writeOnly, ...reads])).slice(-2)).toMatchObject([
      { of: 'dma', status: 'ok', data: none },
      { of: 'dma', status: 'unsupported-request', data: none },
    ]);
    expect((await run([...SETUP, writeOnly, ...reads], 'ready', '57-2m')).slice(-2)).toMatchObject([
      { status: 'unsupported-request' },
      { status: 'unsupported-request' },
    ]);
    expect((await run([...SETUP, dma('edu0', 'read', 0xfee0_0000n, 1, 0)])).at(-1)).toMatchObject({ status: 'ok' });
  });

  test('the queue works, and its completion message belongs to the write that started it', async () => {
    const register = (name: string, value: bigint, size: 4 | 8 = 4): Operation => {
      return { op: 'regWrite', component, register: name, size, value };
    };
    const observations = await run([
      ...SETUP,
      store(PAGE, 0x11n, 0n, 0x7777_0000_0035n, PAGE + 0x800n, 0xfn, 0n),
      register('IQA', PAGE, 8),
      register('IEADDR', 0xfee0_5000n),
      register('IEDATA', 0x51n),
      register('IECTL', 0n),
      register('GCMD', 0x8400_0000n),
      register('IQT', 0x30n, 8),
      { op: 'load', address: PAGE + 0x800n, bytes: 8 },
      { op: 'regRead', component, register: 'IQH', size: 8 },
      { op: 'regRead', component, register: 'FSTS', size: 4 },
      { op: 'regRead', component, register: 'IQERCD', size: 8 },
      { op: 'regRead', component, register: 'GSTS', size: 4 },
    ]);
    const written = new BigUint64Array([(paintWord(PAGE + 0x800n) & ~0xffff_ffffn) | 0x7777n]);
    expect(observations.slice(-6)).toMatchObject([
      { of: 'regWrite', messages: [{ address: 0xfee0_5000n, data: 0x51n }] },
      { of: 'load', data: new Uint8Array(written.buffer), messages: [] },
      { value: 0x20n },
      { value: 0x10n },
      { value: 3n },
      { value: 0xc400_0000n },
    ]);
  });

  test('protected memory keeps devices out of part of the arena', async () => {
    const register = (name: string, value: bigint, size: 4 | 8 = 4): Operation => {
      return { op: 'regWrite', component, register: name, size, value };
    };
    const observations = await run(
      [
        register('PLMBASE', ARENA + 0x1_0000n),
        register('PLMLIMIT', ARENA + 0x1_0000n),
        register('PHMBASE', ARENA, 8),
        register('PMEN', 0x8000_0000n),
        dma('edu0', 'write', ARENA + 0xfff8n, 1, 8),
        dma('edu0', 'write', ARENA + 0x1_0000n, 2, 8),
        dma('edu0', 'read', ARENA + 0x1_fff8n, 3, 8),
        dma('edu0', 'read', ARENA + 0x2_0000n, 4, 8),
        { op: 'load', address: ARENA + 0xfff8n, bytes: 16 },
        { op: 'regRead', component, register: 'FSTS', size: 4 },
      ],
      'reset',
      '57-4k',
    );
    const paint = new Uint8Array(new BigUint64Array([paintWord(ARENA + 0x1_0000n)]).buffer);
    expect(observations.slice(-6)).toMatchObject([
      { status: 'ok' },
      { status: 'unsupported-request' },
      { status: 'unsupported-request', data: new Uint8Array(8).fill(255) },
      { status: 'ok' },
      { data: Uint8Array.of(...tokenBytes(0, 1, 8), ...paint) },
      { value: 0n },
    ]);
  });

  test('begin wipes what a scenario left, inside the arena and outside', async () => {
    const target = createEngineTarget();
    const { arena } = await target.describe();
    await target.begin('ready');
    await target.run([...SETUP, store(0x1000_0000n, 1n), dma('edu1', 'write', 0n, 1), dma('edu0', 'write', INPUT, 1)]);
    await target.finish();
    await target.begin('reset');
    const { observations } = await target.run([
      { op: 'load', address: arena.base, bytes: arena.bytes },
      { op: 'load', address: 0x1000_0000n, bytes: 8 },
      { op: 'regRead', component, register: 'GSTS', size: 4 },
      { op: 'regRead', component, register: 'FSTS', size: 4 },
      { op: 'regRead', component, register: 'RTADDR', size: 8 },
    ]);
    const words = new BigUint64Array((observations[0] as LoadObservation).data!.buffer);
    expect(words.findIndex((word, n) => word !== paintWord(arena.base + BigInt(n * 8)))).toBe(-1);
    expect(observations[1]).toMatchObject({ data: new Uint8Array(8) });
    expect(observations.slice(2)).toMatchObject([{ value: 0n }, { value: 0n }, { value: 0n }]);
  });

  test('paint repaints, holes read as ones, polls give up, resets disable translation', async () => {
    const observations = await run([
      clear(PAGE),
      { op: 'paint', address: PAGE, bytes: FRAME_BYTES },
      { op: 'load', address: PAGE + 4088n, bytes: 8 },
      { op: 'paint', address: 0x50_0000n, bytes: 8 },
      { op: 'load', address: 0x50_0000n, bytes: 8 },
      { op: 'load', address: 0xa_0000n, bytes: 8 },
      { op: 'poll', component, register: '0x1c', size: 4, mask: 1n, expect: 1n, limit: 3 },
      { op: 'reset', scope: 'warm' },
      dma('edu1', 'write', PAGE, 2, 8),
      { op: 'load', address: PAGE, bytes: 8 },
      dma('edu0', 'write', PAGE, 2, 8),
      { op: 'load', address: PAGE, bytes: 8 },
    ]);
    expect(observations[2]).toMatchObject({
      data: new Uint8Array(new BigUint64Array([paintWord(PAGE + 4088n)]).buffer),
    });
    expect(observations[4]).toMatchObject({ data: new Uint8Array(new BigUint64Array([paintWord(0x50_0000n)]).buffer) });
    expect(observations[5]).toMatchObject({ data: new Uint8Array(8).fill(255) });
    expect(observations[6]).toMatchObject({ satisfied: false, reads: 3, value: 0xc000_0000n });
    expect(last<DmaObservation>(observations, 'dma').status).toBe('ok');
    expect(observations[9]).toMatchObject({ data: tokenBytes(1, 2, 8) });
    expect(observations[11]).toMatchObject({ data: tokenBytes(0, 2, 8) });
  });

  test('references count from begin over all batches', async () => {
    const target = createEngineTarget();
    await target.begin('ready');
    await target.run([{ op: 'regRead', component, register: 'CAP', size: 8 }]);
    const { observations } = await target.run([
      {
        op: 'regWrite',
        component,
        register: 'FEDATA',
        size: 4,
        value: { ref: 0, field: [33, 24], scale: 2, plus: 1n },
      },
      { op: 'regRead', component, register: 'FEDATA', size: 4 },
    ]);
    expect(observations[1]).toMatchObject({ value: 0x45n });
  });

  test('what cannot be run is refused in words', async () => {
    const target = createEngineTarget();
    await expect(target.run([])).rejects.toThrow('run before begin');
    await target.begin('reset');
    const cpu: Operation = { op: 'cpu', vcpu: '0', address: 0n, access: 'read', bytes: 1, token: 0 };
    await expect(target.run([{ op: 'settle' }, cpu])).rejects.toThrow(
      "target engine: operation 'cpu' (number 1) is not supported",
    );
    await expect(target.run([dma('edu9', 'read', 0n, 0)])).rejects.toThrow('no requester "edu9"');
    await expect(target.run([store(4n, 0n)])).rejects.toThrow('store at 0x4 is not 8-byte aligned');
  });
});

describe('the chaos shape', () => {
  const command: Operation = { op: 'regWrite', component, register: 'CCMD', size: 8, value: 0xa000_0000_0000_0000n };
  const read: Operation = { op: 'regRead', component, register: 'CCMD', size: 8 };
  const poll: Operation = {
    op: 'poll',
    component,
    register: 'CCMD',
    size: 8,
    mask: 1n << 63n,
    expect: 0n,
    limit: 60,
  };
  /** Register writes that change nothing and let the random numbers take another course. */
  const variants = Array.from(
    { length: 20 },
    (_, n): Operation => ({ op: 'regWrite', component, register: 'FEDATA', size: 4, value: BigInt(n) }),
  );

  test('a command takes some polls; settle completes it', async () => {
    let late = 0;
    for (const variant of variants) {
      const polled = await run([variant, command, poll], 'ready', 'chaos');
      expect(polled[2]).toMatchObject({ satisfied: true });
      const [, , first, , settled] = await run([variant, command, read, { op: 'settle' }, read], 'ready', 'chaos');
      late += Number((first as ValueObservation).value! >> 63n);
      expect((settled as ValueObservation).value! >> 63n).toBe(0n);
    }
    expect(late).toBeGreaterThan(2);
    expect(late).toBeLessThan(20);
  });

  test('a wait whose status is only loaded completes, too', async () => {
    const load: Operation = { op: 'load', address: PAGE, bytes: 8 };
    const shown = await run(
      [
        store(PAGE, 0n),
        store(MIDDLE, 0x25n | (0x77n << 32n), PAGE),
        { op: 'regWrite', component, register: 'IQA', size: 8, value: MIDDLE },
        { op: 'regWrite', component, register: 'GCMD', size: 4, value: 0x8400_0000n },
        { op: 'poll', component, register: 'GSTS', size: 4, mask: 1n << 26n, expect: 1n << 26n, limit: 60 },
        { op: 'regWrite', component, register: 'IQT', size: 8, value: 16n },
        ...Array.from({ length: 60 }, () => load),
      ],
      'ready',
      'chaos',
    );
    expect(last<LoadObservation>(shown, 'load').data![0]).toBe(0x77);
  });

  test('a scenario shows the same every time', async () => {
    const operations = [...SETUP, dma('edu0', 'read', INPUT, 0), command, poll, read, dma('edu1', 'read', INPUT, 0)];
    const target = createEngineTarget({ shape: 'chaos' });
    const shown: string[] = [];
    for (let round = 0; round < 3; round++) {
      await target.begin('ready');
      const { observations } = await target.run(operations);
      shown.push(JSON.stringify(observations, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)));
      await target.finish();
    }
    expect(new Set(shown).size).toBe(1);
  });
});
