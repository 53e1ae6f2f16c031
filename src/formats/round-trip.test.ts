import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operand, Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Scenario, Step, TargetFailure } from '../../spec/interface/scenario.js';
import { paintWord } from '../../spec/layout/tokens.js';
import { bytesSchema } from './bytes.js';
import { decodeCase, encodeCase } from './case.js';
import { SAMPLE_CASE, SAMPLE_PROFILE } from './fixtures.js';
import { decodeWith, encodeWith } from './json.js';
import { observationSchema } from './observation.js';
import { operationSchema } from './operation.js';
import { profileSchema } from './profile.js';
import { scenarioSchema } from './scenario.js';
import { decodeTrace, encodeTrace } from './trace.js';
import { operationProblems } from './validate-operations.js';
import { profileProblems } from './validate-profile.js';

const SOURCE = { file: 'f' };
const optional = <T>(key: string, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.option(arbitrary, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value }));

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u32 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
const { arena } = SAMPLE_PROFILE;

/** Memory as targets show it: paint, zeroes, tables and stray bytes. */
const words = fc.array(
  fc.oneof(
    fc.tuple(u64, fc.integer({ min: 1, max: 12 })).map(([word, n]) => Array.from({ length: n }, () => word)),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), fc.integer({ min: 1, max: 12 }))
      .map(([start, n]) => Array.from({ length: n }, (_, index) => paintWord(start * 8n + BigInt(index) * 8n))),
  ),
  { maxLength: 6 },
);
const memory = fc.tuple(words, fc.uint8Array({ maxLength: 7 })).map(([runs, tail]) => {
  const flat = runs.flat();
  const bytes = new Uint8Array(flat.length * 8 + tail.length);
  const view = new DataView(bytes.buffer);
  flat.forEach((word, index) => {
    view.setBigUint64(index * 8, word, true);
  });
  bytes.set(tail, flat.length * 8);
  return bytes;
});

const range = fc
  .tuple(fc.integer({ min: 0, max: arena.bytes / 8 - 1 }), fc.integer({ min: 1, max: 40 }))
  .map(([word, length]) => ({
    address: arena.base + BigInt(word * 8),
    bytes: Math.min(length * 8, arena.bytes - word * 8),
  }));

/** An operand at an index after operations of which number 0 has a value. */
const operand = (literal: fc.Arbitrary<bigint>): fc.Arbitrary<Operand> =>
  fc.oneof(
    literal,
    fc
      .tuple(
        optional('field', fc.constant([15, 8] as const)),
        optional('scale', fc.integer({ min: -4, max: 4 })),
        optional('plus', fc.bigInt({ min: -(1n << 63n), max: 1n << 63n })),
      )
      .map((parts) => Object.assign({ ref: 0 }, ...parts)),
  );

const register = fc
  .tuple(optional('index', operand(u32)), optional('offset', fc.nat(8)), fc.constantFrom(4 as const, 8 as const))
  .map(([index, offset, size]) => ({ component: 'iommu', register: 'FRCD', ...index, ...offset, size }));

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .tuple(range, fc.array(u64, { minLength: 1, maxLength: 4 }))
    .map(([{ address, bytes }, list]) => ({ op: 'store' as const, address, words: list.slice(0, bytes / 8) })),
  range.map((where) => ({ op: 'paint' as const, ...where })),
  range.map((where) => ({ op: 'load' as const, ...where })),
  fc.tuple(register, operand(u32)).map(([where, value]) => ({ op: 'regWrite' as const, ...where, value })),
  register.map((where) => ({ op: 'regRead' as const, ...where })),
  fc.tuple(register, u32, fc.integer({ min: 1, max: 9 })).map(([where, mask, limit]) => ({
    ...where,
    op: 'poll' as const,
    mask,
    expect: mask & 0xf0f0n,
    limit,
  })),
  fc
    .tuple(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(1 as const, 2 as const, 4 as const),
      operand(fc.constant(5n)),
    )
    .map(([routingId, size, value]) => ({ op: 'configWrite' as const, function: routingId, offset: 4, size, value })),
  fc.constant({ op: 'configRead' as const, function: 0x100, offset: 8, size: 2 as const }),
  fc
    .tuple(
      u64,
      fc.constantFrom('read' as const, 'write' as const),
      fc.nat(64),
      optional('pasid', fc.nat(0xf_ffff)),
      optional('noSnoop', fc.boolean()),
    )
    .map(([address, direction, bytes, pasid, noSnoop]) => ({
      op: 'dma' as const,
      requester: 'dev1',
      ...pasid,
      ...noSnoop,
      address,
      direction,
      bytes: direction === 'write' ? Math.max(bytes, 1) : bytes,
      token: 0,
    })),
  fc.tuple(u64, u32).map(([address, data]) => ({ op: 'message' as const, requester: 'dev0', address, data })),
  fc.constantFrom<Operation>(
    { op: 'cpu', vcpu: 'v0', address: 0x1000n, access: 'read', bytes: 8, token: 0 },
    { op: 'controllerRead', controller: 'apic0' },
    { op: 'eoi', controller: 'apic0' },
    { op: 'settle' },
    { op: 'reset', scope: 'warm' },
    { op: 'reset', scope: 'cold' },
  ),
);

/** Sound operations: number 0 is a register read, so that references may name it, and each has a token of its own. */
const operations: fc.Arbitrary<Operation[]> = fc
  .array(operation, { maxLength: 20, size: 'max' })
  .map((list) => [{ op: 'regRead' as const, component: 'iommu', register: 'FSTS', size: 4 as const }, ...list])
  .map((list) => list.map((each, token) => (each.op === 'dma' || each.op === 'cpu' ? { ...each, token } : each)));

const data = (bytes: number): fc.Arbitrary<Record<string, Uint8Array>> =>
  optional('data', fc.uint8Array({ minLength: bytes, maxLength: bytes }));

function observationOf(operation: Operation, tick: number): fc.Arbitrary<Observation> {
  const base = fc
    .tuple(
      optional(
        'messages',
        fc.array(
          fc
            .tuple(u64, u32, optional('source', fc.nat(0xffff)))
            .map(([address, word, source]) => ({ address, data: word, ...source })),
          { maxLength: 2 },
        ),
      ),
      fc.nat(3),
    )
    .map(([messages, lasting]) => ({ begin: tick, complete: tick + lasting, ...messages }));
  const more = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Observation> =>
    fc.tuple(base, ...parts).map((pieces) => Object.assign({ of: operation.op }, ...pieces));
  switch (operation.op) {
    case 'load':
      return more(data(operation.bytes));
    case 'regRead':
      return more(optional('value', u32));
    case 'configRead':
      return more(optional('value', fc.bigInt({ min: 0n, max: 0xffffn })));
    case 'poll':
      return more(
        fc.constantFrom(
          {},
          { value: operation.expect, satisfied: true, reads: 1 },
          { satisfied: false, reads: operation.limit },
        ),
      );
    case 'dma':
      return more(
        optional('status', fc.constantFrom('ok', 'unsupported-request', 'completer-abort')),
        operation.direction === 'read' ? data(operation.bytes) : fc.constant({}),
      );
    case 'cpu':
      return more(data(operation.bytes), optional('exception', fc.constant('#PF')), optional('errorCode', u64));
    case 'controllerRead':
      return more(optional('requested', fc.array(fc.nat(255))), optional('inService', fc.array(fc.nat(255))));
    default:
      return more();
  }
}

const steps: fc.Arbitrary<Step[]> = operations.chain((list) =>
  fc.tuple(
    ...list.map((each, index) => observationOf(each, index).map((observation) => ({ operation: each, observation }))),
  ),
);

const failure: fc.Arbitrary<TargetFailure> = fc
  .tuple(
    fc.constantFrom('crash' as const, 'hang' as const, 'nonsense' as const),
    fc.string(),
    optional('at', fc.constant(1)),
    optional('output', fc.string({ unit: 'grapheme' })),
  )
  .map(([kind, message, at, output]) => ({ kind, message, ...at, ...output }));

const start = fc.constantFrom('reset' as const, 'ready' as const);
const history = fc
  .tuple(start, steps, optional('failure', failure))
  .map(([state, list, end]) => ({ profile: SAMPLE_PROFILE, start: state, steps: list, ...end }));

const stimuli: fc.Arbitrary<Scenario> = fc.record({
  level: fc.constant('stimuli' as const),
  start,
  software: fc.constant({ name: 'hv', configuration: { posted: true, vms: 2, mode: 'a' } }),
  stimuli: fc.array(
    fc.record(
      {
        actor: fc.constant('vm0'),
        action: fc.constant('map'),
        arguments: fc.dictionary(
          fc.stringMatching(/^[a-z]{1,8}$/),
          fc.oneof(fc.bigInt(), fc.constantFrom('0x10', 'text', ''), fc.integer(), fc.boolean()),
          { noNullPrototype: true },
        ),
        begins: fc.oneof(fc.nat(9), fc.constant('answered' as const)),
      },
      { requiredKeys: ['actor', 'action', 'arguments'] },
    ),
  ),
  schedule: fc.array(fc.nat(9)),
});

const profile: fc.Arbitrary<Profile> = fc
  .tuple(u64, fc.integer({ min: 1, max: 256 }), fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 16 }))
  .map(([cap, tokens, dmaBytes, count]) => ({
    ...SAMPLE_PROFILE,
    components: { iommu: { ...SAMPLE_PROFILE.components['iommu']!, registers: { CAP: cap } } },
    requesters: Array.from({ length: count }, (_, index) => ({
      ...SAMPLE_PROFILE.requesters[0]!,
      id: `dev${index}`,
      routingId: 0x100 + index,
    })),
    limits: { tokens, dmaBytes },
  }));

describe('every format comes back as it went', () => {
  it('bytes', () => {
    fc.assert(
      fc.property(memory, (bytes) => {
        const json = JSON.parse(JSON.stringify(encodeWith(bytesSchema, bytes)));
        expect(decodeWith(bytesSchema, json, SOURCE)).toEqual(bytes);
      }),
    );
  });

  it('bytes of a painted arena are small', () => {
    const bytes = new Uint8Array(1 << 20);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 8) view.setBigUint64(at, paintWord(0x400_0000n + BigInt(at)), true);
    bytes.fill(0, 0x2000, 0x3000);
    bytes[0x5001] = 7;
    const text = JSON.stringify(encodeWith(bytesSchema, bytes));
    expect(text).toBe(
      '[["paint","0x4000000",8192],["repeat","0000000000000000",512],["paint","0x4003000",8192],' +
        '["hex","5a070a80000000a5"],["paint","0x4005008",1028088]]',
    );
    expect(decodeWith(bytesSchema, JSON.parse(text), SOURCE)).toEqual(bytes);
  });

  it('profiles', () => {
    fc.assert(
      fc.property(profile, (value) => {
        expect(profileProblems(value)).toEqual([]);
        const json = JSON.parse(JSON.stringify(encodeWith(profileSchema, value)));
        expect(decodeWith(profileSchema, json, SOURCE)).toEqual(value);
      }),
    );
  });

  it('operations and observations', () => {
    fc.assert(
      fc.property(steps, (list) => {
        expect(
          operationProblems(
            SAMPLE_PROFILE,
            list.map((step) => step.operation),
          ),
        ).toEqual([]);
        for (const each of list) {
          const one = JSON.parse(JSON.stringify(encodeWith(operationSchema, each.operation)));
          expect(decodeWith(operationSchema, one, SOURCE)).toEqual(each.operation);
          const two = JSON.parse(JSON.stringify(encodeWith(observationSchema, each.observation)));
          expect(decodeWith(observationSchema, two, SOURCE)).toEqual(each.observation);
        }
      }),
    );
  });

  it('scenarios for software under test', () => {
    fc.assert(
      fc.property(stimuli, (value) => {
        const json = JSON.parse(JSON.stringify(encodeWith(scenarioSchema, value)));
        expect(decodeWith(scenarioSchema, json, SOURCE)).toEqual(value);
      }),
    );
  });

  it('traces', () => {
    fc.assert(
      fc.property(history, (value) => {
        expect(decodeTrace(encodeTrace(value), 'f')).toEqual(value);
      }),
    );
  });

  it('cases, whatever of the history equals the scenario', () => {
    fc.assert(
      fc.property(history, fc.nat(30), fc.oneof(fc.constant(undefined), stimuli), (value, kept, software) => {
        const planned = value.steps.slice(0, kept).map((step) => step.operation);
        const scenario: Scenario = software ?? { level: 'operations', start: 'ready', operations: planned };
        const stored = { ...SAMPLE_CASE, scenario, history: value };
        expect(decodeCase(encodeCase(stored), 'f')).toEqual(stored);
      }),
    );
  });
});
