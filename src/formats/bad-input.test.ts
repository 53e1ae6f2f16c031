import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Profile } from '../../spec/interface/profile.js';
import { BadInput } from './bad-input.js';
import { decodeCase, encodeCase } from './case.js';
import { CannotWrite, readText, writeAtomically } from './files.js';
import { SAMPLE_CASE, SAMPLE_HISTORY, SAMPLE_KNOWN, SAMPLE_PROFILE } from './fixtures.js';
import { encodeKnown, readKnown } from './known.js';
import { decodeTrace, encodeTrace } from './trace.js';
import { profileProblems } from './validate-profile.js';

/** The message of the BadInput that is thrown, which must be one line. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    expect(error.message).not.toContain('\n');
    return error.message;
  }
  throw new Error('nothing was refused');
}

type Json = Record<string, unknown>;

/** The sample case with one place inside its JSON changed; `undefined` removes it. */
function changed(path: string, value: unknown, text: string = encodeCase(SAMPLE_CASE)): string {
  const root = JSON.parse(text) as Json;
  const keys = path.split('.');
  const holder = keys.slice(0, -1).reduce<Json>((at, key) => at[key] as Json, root);
  const last = keys.at(-1)!;
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return JSON.stringify(root);
}

const DMA = { op: 'dma', requester: 'dev0', address: '0x1000', direction: 'read', bytes: 4, token: 0 };

describe('a case that cannot be read', () => {
  const text = encodeCase(SAMPLE_CASE);

  it.each([
    ['nothing', '', 'c.json: empty; expected JSON'],
    ['truncated', text.slice(0, 200), /^c\.json:\d+:\d+: JSON ends in the middle \(truncated\?\)$/],
    ['truncated within a text', '{\n "format": "iovch', 'c.json:2:18: JSON ends in the middle (truncated?)'],
    ['no JSON', '{\n  "a": nope }', "c.json:2:9: not JSON: Unexpected token 'o'"],
    ['foreign', '{"name": "left-pad"}', 'c.json: format: expected "iovcheck-case", got nothing'],
    ['a list', '[1, 2]', 'c.json: format: expected "iovcheck-case", got nothing'],
    ['a trace', encodeTrace(SAMPLE_HISTORY).split('\n')[0]!, /expected "iovcheck-case", got "iovcheck-trace"$/],
    ['newer', changed('version', 3), 'c.json: version 3 is newer than this iovcheck understands (1)'],
    ['version 0', changed('version', 0), 'c.json: version: expected 1, got 0'],
    ['without a field', changed('property', undefined), 'c.json: property: expected a text, got nothing'],
    ['a field too many', changed('extra', 1), 'c.json: extra: expected no such field'],
    [
      'an id with a folder',
      changed('id', '../x'),
      'c.json: id: expected a file name without folder and ending, got "../x"',
    ],
  ])('%s', (_, content, message) => {
    expect(refusal(() => decodeCase(content, 'c.json'))).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  it.each<[string, unknown, string]>([
    ['op', 'fly', 'op: expected an operation (one of store, paint, load, regWrite'],
    ['address', 4096, 'address: expected a hexadecimal string like "0x1f", got 4096'],
    [
      'address',
      '0x1FF',
      'address: expected a hexadecimal string like "0x1f", lower case, at most 64 bits, got "0x1FF"',
    ],
    [
      'address',
      '0x10000000000000000',
      'address: expected a hexadecimal string like "0x1f", lower case, at most 64 bits',
    ],
    ['requester', 'dev7', 'requester: expected a requester of the profile (dev0, dev1), got "dev7"'],
    ['bytes', 65, 'bytes: expected at most 64 (limits.dmaBytes), got 65'],
    ['bytes', -1, 'bytes: expected a whole number from 0 up, got -1'],
    ['token', 256, 'token: expected a token below 256 (limits.tokens), got 256'],
    ['pasid', 3, 'pasid: expected no PASID from this requester, got 3'],
    ['bytes', 0, 'bytes: expected at least 1, as this requester sends no zero-length reads, got 0'],
    ['noSnoop', true, 'noSnoop: expected no such attribute from this requester, got true'],
    ['noSnoop', 1, 'noSnoop'],
    ['direction', 'up', 'direction: expected "read" or "write", got "up"'],
  ])('a DMA with a wrong %s (%s)', (field, value, message) => {
    const content = changed('scenario.operations.1', { ...DMA, [field]: value });
    expect(refusal(() => decodeCase(content, 'c.json'))).toContain(`c.json: scenario.operations[1].${message}`);
  });

  it.each<[string, unknown, string]>([
    [
      'store, unaligned',
      { op: 'store', address: '0x4000004', words: ['0x1'] },
      'address: expected an address that is 8-byte aligned, got 0x4000004',
    ],
    [
      'load, odd size',
      { op: 'load', address: '0x4000000', bytes: 12 },
      'bytes: expected a multiple of 8 bytes, got 12',
    ],
    [
      'paint outside',
      { op: 'paint', address: '0x4003ff8', bytes: 16 },
      'address: expected memory inside the arena 0x4000000..0x4003fff, got 0x4003ff8..0x4004007',
    ],
    [
      'unknown component',
      { op: 'regRead', component: 'smmu', register: 'X', size: 4 },
      'component: expected a component of the profile (iommu), got "smmu"',
    ],
    ['wrong size', { op: 'regRead', component: 'iommu', register: 'X', size: 2 }, 'size: expected 4 or 8, got 2'],
    [
      'wide value',
      { op: 'regWrite', component: 'iommu', register: 'X', size: 4, value: '0x100000000' },
      'value: expected at most 32 bits, got 0x100000000',
    ],
    [
      'reference forward',
      { op: 'regWrite', component: 'iommu', register: 'X', size: 4, value: { ref: 2 } },
      'value.ref: expected an operation before 1, got 2',
    ],
    [
      'reference to a store',
      { op: 'regRead', component: 'iommu', register: 'X', size: 4, index: { ref: 0 } },
      'index.ref: expected an operation with a value (regRead, configRead, poll), got 0: store',
    ],
    [
      'reference to text',
      { op: 'regWrite', component: 'iommu', register: 'X', size: 4, value: 7 },
      'value: expected a hexadecimal string like "0x1f" or a reference {"ref": INDEX, …}, got 7',
    ],
    [
      'poll for bits outside the mask',
      { op: 'poll', component: 'iommu', register: 'X', size: 4, mask: '0x1', expect: '0x2', limit: 5 },
      'expect: expected only bits of the mask 0x1, got 0x2',
    ],
    [
      'config, unaligned',
      { op: 'configRead', function: 256, offset: 5, size: 4 },
      'offset: expected a multiple of 4, got 5',
    ],
    [
      'message by a function without',
      { op: 'message', requester: 'dev1', address: '0xfee00000', data: '0x40' },
      'requester: expected a requester that can send messages, got "dev1"',
    ],
    [
      'wide message',
      { op: 'message', requester: 'dev0', address: '0xfee00000', data: '0x100000000' },
      'data: expected at most 32 bits, got 0x100000000',
    ],
  ])('%s', (_, operation, message) => {
    const content = changed('scenario.operations.1', operation);
    expect(refusal(() => decodeCase(content, 'c.json'))).toBe(`c.json: scenario.operations[1].${message}`);
  });

  it('a token used twice', () => {
    const content = changed('scenario.operations.2', DMA);
    const message = 'c.json: scenario.operations[2].token: expected a token of its own, got 0 again';
    expect(refusal(() => decodeCase(content, 'c.json'))).toBe(message);
  });

  it('a failure of an operation that was never begun', () => {
    const content = changed('history.failure', { kind: 'crash', message: 'm', at: 9 });
    expect(refusal(() => decodeCase(content, 'c.json'))).toContain('c.json: history.failure.at: expected an operation');
  });
});

describe('a trace that cannot be read', () => {
  const lines = encodeTrace(SAMPLE_HISTORY).trimEnd().split('\n');
  const withLine = (number: number, content: string): string =>
    lines.map((line, index) => (index === number - 1 ? content : line)).join('\n');
  const step = (operation: unknown, observation: unknown): string => JSON.stringify({ operation, observation });
  const span = { begin: 2, complete: 2 };
  const read = { op: 'regRead', component: 'iommu', register: 'FSTS', size: 4 };
  const poll = { op: 'poll', component: 'iommu', register: 'GSTS', size: 4, mask: '0xf', expect: '0x1', limit: 10 };

  it.each<[string, string, string | RegExp]>([
    ['empty', '', 't.jsonl: empty; expected a trace'],
    ['truncated', withLine(4, lines[3]!.slice(0, 30)), 't.jsonl:4:31: JSON ends in the middle (truncated?)'],
    ['foreign', '{"a":1}', 't.jsonl:1: format: expected "iovcheck-trace", got nothing'],
    [
      'newer',
      lines[0]!.replace('"version":1', '"version":2'),
      't.jsonl:1: version 2 is newer than this iovcheck understands (1)',
    ],
    [
      'unknown operation',
      withLine(3, step({ op: 'fly' }, { of: 'fly', ...span })),
      /^t\.jsonl:3: operation\.op: expected an operation \(one of/,
    ],
    [
      'unknown observation',
      withLine(3, step(read, { of: 'fly', ...span })),
      /^t\.jsonl:3: observation\.of: expected an observation/,
    ],
    [
      'another observation',
      withLine(4, step(read, { of: 'settle', ...span })),
      't.jsonl:4: observation.of: expected "regRead", as the operation, got "settle"',
    ],
    [
      'wide value',
      withLine(4, step(read, { of: 'regRead', ...span, value: '0x100000000' })),
      't.jsonl:4: observation.value: expected at most 32 bits, got 0x100000000',
    ],
    [
      'short data',
      withLine(3, step(DMA, { of: 'dma', begin: 1, complete: 1, data: '00' })),
      't.jsonl:3: observation.data: expected 4 bytes, got 1 bytes',
    ],
    [
      'data of a write',
      withLine(3, step({ ...DMA, direction: 'write' }, { of: 'dma', begin: 1, complete: 1, data: '00000000' })),
      't.jsonl:3: observation.data: expected no data, the operation writes, got 4 bytes',
    ],
    [
      'odd digits',
      withLine(3, step(DMA, { of: 'dma', begin: 1, complete: 1, data: '000' })),
      /^t\.jsonl:3: observation\.data: expected bytes: .*, got "000"$/,
    ],
    [
      'poll that does not hold',
      withLine(4, step(poll, { of: 'poll', ...span, value: '0x2', satisfied: true })),
      't.jsonl:4: observation.value: expected (value & 0xf) = 0x1 to hold, as claimed, got 0x2',
    ],
    [
      'poll that does hold',
      withLine(4, step(poll, { of: 'poll', ...span, value: '0x1', satisfied: false })),
      't.jsonl:4: observation.value: expected (value & 0xf) = 0x1 not to hold, as claimed, got 0x1',
    ],
    [
      'poll beyond its limit',
      withLine(4, step(poll, { of: 'poll', ...span, reads: 11 })),
      't.jsonl:4: observation.reads: expected 1 to 10, the limit, got 11',
    ],
    [
      'poll that gave up',
      withLine(4, step(poll, { of: 'poll', ...span, reads: 3, satisfied: false })),
      't.jsonl:4: observation.reads: expected 10, as the condition never held, got 3',
    ],
    [
      'completion before begin',
      withLine(4, step(read, { of: 'regRead', begin: 5, complete: 4 })),
      't.jsonl:4: observation.complete: expected at least 5, where it began, got 4',
    ],
    [
      'begin before its predecessor',
      withLine(4, step(read, { of: 'regRead', begin: 0, complete: 4 })),
      't.jsonl:4: observation.begin: expected at least 1, as the operation before it, got 0',
    ],
    [
      'more after the failure',
      [...lines, '{"failure":{"kind":"crash","message":"m"}}', lines[1]].join('\n'),
      't.jsonl:6: expected nothing after the failure',
    ],
    [
      'huge memory',
      withLine(
        3,
        step(DMA, {
          of: 'dma',
          begin: 1,
          complete: 1,
          data: [
            ['repeat', '00', 2 ** 30],
            ['hex', '00'],
          ],
        }),
      ),
      /^t\.jsonl:3: observation\.data: expected at most 1073741824 bytes/,
    ],
  ])('%s', (_, content, message) => {
    expect(refusal(() => decodeTrace(content, 't.jsonl'))).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });
});

describe('a profile that promises what it cannot hold', () => {
  const first = SAMPLE_PROFILE.requesters[0]!;
  const many = Array.from({ length: 17 }, (_, index) => ({ ...first, id: `d${index}`, routingId: index }));

  it.each<[string, Partial<Profile>, string]>([
    [
      'arena outside RAM',
      { arena: { base: 0x2000_0000n, bytes: 4096 } },
      'arena: expected to lie inside one ram region, got 0x20000000..0x20000fff',
    ],
    [
      'arena across the end of RAM',
      { arena: { base: 0xfff_f000n, bytes: 8192 } },
      'arena: expected to lie inside one ram region',
    ],
    [
      'arena not on a frame',
      { arena: { base: 0x400_0800n, bytes: 4096 } },
      'arena.base: expected a multiple of 4096, got 0x4000800',
    ],
    [
      'half a frame',
      { arena: { base: 0x400_0000n, bytes: 2048 } },
      'arena.bytes: expected a multiple of 4096, got 2048',
    ],
    [
      'overlapping regions',
      { memory: [...SAMPLE_PROFILE.memory, { kind: 'device', base: 0xfff_ffffn, bytes: 2n }] },
      'memory[2]: expected regions apart, got 0xfffffff..0x10000000 overlapping memory[0]',
    ],
    [
      'empty region',
      { memory: [...SAMPLE_PROFILE.memory, { kind: 'device', base: 0xf_0000_0000n, bytes: 0n }] },
      'memory[2].bytes: expected a size above 0, got 0x0',
    ],
    [
      'region past 64 bits',
      { memory: [...SAMPLE_PROFILE.memory, { kind: 'device', base: 0xffff_ffff_ffff_f000n, bytes: 0x2000n }] },
      'memory[2]: expected an end within 64 bits',
    ],
    [
      'same id',
      { requesters: [first, { ...first, routingId: 1 }] },
      'requesters[1].id: expected an id of its own, got "dev0" again',
    ],
    [
      'same routing ID',
      { requesters: [first, { ...first, id: 'x' }] },
      'requesters[1].routingId: expected a routing ID of its own, got 0x100 again',
    ],
    [
      'unknown component',
      { requesters: [{ ...first, component: 'smmu' }] },
      'requesters[0].component: expected a component of the profile (iommu), got "smmu"',
    ],
    ['17 requesters', { requesters: many }, 'requesters: expected at most 16 requesters, got 17'],
    ['too many tokens', { limits: { tokens: 257, dmaBytes: 64 } }, 'limits.tokens: expected at most 256, got 257'],
    ['too long requests', { limits: { tokens: 256, dmaBytes: 65 } }, 'limits.dmaBytes: expected at most 64, got 65'],
  ])('%s', (_, change, message) => {
    const profile = { ...SAMPLE_PROFILE, ...change };
    expect(profileProblems(profile)).not.toEqual([]);
    const trace = encodeTrace({ ...SAMPLE_HISTORY, profile, steps: [] });
    expect(refusal(() => decodeTrace(trace, 't.jsonl'))).toContain(`t.jsonl:1: profile.${message}`);
  });

  it('what the architecture says of a component', () => {
    const check = (name: string): string => `expected SAGAW not to be empty, got 0x0 in ${name}`;
    const message = refusal(() => decodeCase(encodeCase(SAMPLE_CASE), 'c.json', check));
    expect(message).toBe('c.json: profile.components.iommu: expected SAGAW not to be empty, got 0x0 in iommu');
  });
});

describe('files', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'iovcheck-formats-'));
    folders.push(made);
    return made;
  };
  afterEach(() => {
    for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
  });

  /** A known list and its case in a folder, the list changed at one path. */
  const known = (path?: string, value?: unknown): string => {
    const root = folder();
    mkdirSync(join(root, 'known'));
    mkdirSync(join(root, 'cases'));
    writeFileSync(join(root, 'cases/sample.json'), encodeCase(SAMPLE_CASE));
    const other = { ...SAMPLE_CASE, identity: { ...SAMPLE_CASE.identity, kind: 'access-refused' } };
    writeFileSync(join(root, 'cases/other.json'), encodeCase(other));
    const text = encodeKnown({ format: 'iovcheck-known', version: 1, target: 'sample', deviations: [SAMPLE_KNOWN] });
    const file = join(root, 'known/sample.json');
    writeFileSync(file, path === undefined ? text : changed(path, value, text));
    return file;
  };

  it('a sound list of known deviations is read', () => {
    expect(readKnown(known()).deviations).toEqual([SAMPLE_KNOWN]);
  });

  it.each<[string, unknown, string]>([
    ['deviations.0.facts', undefined, 'deviations[0].facts: expected an object, got nothing'],
    ['deviations.0.facts.tag', '1Q', 'deviations[0].facts.tag: expected a row with tag "2" or "1S", got "1Q"'],
    ['deviations.0.facts.row', ' ', 'deviations[0].facts.row: expected a text that is not empty, got " "'],
    [
      'deviations.0.lawfulChoices',
      [],
      'deviations[0].lawfulChoices: expected at least one row of lawful choice with why',
    ],
    [
      'deviations.0.lawfulChoices.0.why',
      '',
      'deviations[0].lawfulChoices[0].why: expected a text that is not empty, got ""',
    ],
    ['deviations.0.reason', undefined, 'deviations[0].reason: expected a text, got nothing'],
    ['deviations.0.implementation', '(', 'deviations[0].implementation: expected a regular expression, got "("'],
    ['deviations.0.expires', 'soon', 'deviations[0].expires: expected a date like "2027-01-31", got "soon"'],
    [
      'deviations.0.case',
      '../cases/none.json',
      'deviations[0].case: expected a case file that exists, got "../cases/none.json"',
    ],
    ['deviations.0.case', '/tmp/x.json', 'deviations[0].case: expected a path relative to the list, got "/tmp/x.json"'],
    ['deviations.0.case', '../cases/other.json', 'deviations[0].case: expected a case of the same kind, got'],
    [
      'deviations.1',
      JSON.parse(JSON.stringify(SAMPLE_KNOWN)),
      'deviations[1]: expected a deviation of its own, got that of deviations[0] again',
    ],
  ])('an entry of known deviations with %s = %s', (path, value, message) => {
    const file = known(path, value);
    expect(refusal(() => readKnown(file))).toContain(`${file}: ${message}`);
  });

  it('a missing file and a folder are named', () => {
    const root = folder();
    expect(refusal(() => readText(join(root, 'none')))).toBe(`${join(root, 'none')}: no such file`);
    expect(refusal(() => readText(root))).toBe(`${root}: expected a file, got a folder`);
  });

  it('a file is written as a whole or not at all', () => {
    const file = join(folder(), 'deep/er/file.txt');
    writeAtomically(file, 'one');
    writeAtomically(file, 'two');
    expect(readText(file)).toBe('two');
    expect(() => writeAtomically(join(file, 'x'), 'three')).toThrow(CannotWrite);
    expect(() => writeAtomically(join(file, 'x'), 'three')).toThrow(/a part of the path is not a folder$/);
  });

  it('a full disk is one message, and what was there stays', () => {
    const file = join(folder(), 'file.txt');
    writeAtomically(file, 'one');
    const full = (temporary: string): void => {
      writeFileSync(temporary, 'par');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    expect(() => writeAtomically(file, 'two', full)).toThrow(new CannotWrite(`${file}: no space left on the disk`));
    expect(readText(file)).toBe('one');
    expect(readdirSync(dirname(file))).toEqual(['file.txt']);
  });
});
