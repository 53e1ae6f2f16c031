import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../spec/interface/judgement.js';
import type { InterruptMessage, Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import { DEFAULT_SHAPE, shapeOf } from '../engine/index.js';
import { engineProfile } from '../targets/engine-profile.js';
import { judge } from './index.js';

const profile = engineProfile(shapeOf(DEFAULT_SHAPE));
const [EDU0, EDU1] = [0x100, 0x101];

const configure = (offset: number, size: 1 | 2 | 4, value: bigint, name = EDU0): Operation => ({
  op: 'configWrite',
  function: name,
  offset: 0x40 + offset,
  size,
  value,
});

const programmed = [configure(4, 4, 0xfee0_1000n), configure(8, 4, 0n), configure(12, 2, 0x41n), configure(2, 2, 1n)];
const sent: InterruptMessage = { address: 0xfee0_1000n, data: 0x41n };

/** A signal after these operations, with the messages that came of it. */
function judged(operations: readonly Operation[], messages: readonly InterruptMessage[] | undefined): Judgement {
  const all: readonly Operation[] = [...operations, { op: 'signal', requester: 'edu0' }];
  const steps = all.map((operation, at) => {
    const last = at === operations.length && messages !== undefined ? { messages } : {};
    return { operation, observation: { of: operation.op, begin: at, complete: at, ...last } as Observation };
  });
  return judge({ profile, start: 'ready', steps });
}

describe('an interrupt of a function', () => {
  it('is the message that its MSI capability holds', () => {
    const judgement = judged(programmed, [sent]);
    expect(judgement.verdict).toBe('conformant');
    expect(judgement.clauses).toMatchObject({ 'PCI-MSI-001': 1, 'PCI-MSI-002': 4 });
    expect(judged(programmed, undefined).verdict).toBe('conformant');
  });

  it.each([
    ['none', [], 'message→none'],
    ['other data', [{ ...sent, data: 0x42n }], 'message→other'],
    ['another address', [{ ...sent, address: 0xfee0_2000n }], 'message→other'],
  ])('is suspect when the message is %s: one source alone gives the layout', (_, messages, discriminator) => {
    const { verdict, finding } = judged(programmed, messages);
    expect(verdict).toBe('deviant');
    expect(finding).toMatchObject({ clause: 'PCI-MSI-001', kind: 'message-differs', discriminator, certain: false });
  });

  it('is no message while MSI is disabled, as it is after reset', () => {
    expect(judged([], []).verdict).toBe('conformant');
    expect(judged([...programmed, configure(2, 1, 0n)], []).verdict).toBe('conformant');
    expect(judged([...programmed, { op: 'reset', scope: 'warm' }], []).verdict).toBe('conformant');
    expect(judged([], [sent]).verdict).toBe('deviant');
  });

  it('is programmed a byte, a word or a dword at a time, each function by itself', () => {
    const bytes = [configure(5, 1, 0x20n), configure(12, 1, 0x55n)];
    expect(judged([...programmed, ...bytes], [{ address: 0xfee0_2000n, data: 0x55n }]).verdict).toBe('conformant');
    const other = [configure(12, 2, 0x99n, EDU1), configure(2, 2, 0n, EDU1)];
    expect(judged([...programmed, ...other], [sent]).verdict).toBe('conformant');
  });

  it('is left undecided where configuration space is not specified', () => {
    expect(judged([configure(0x40, 4, 1n)], []).verdict).toBe('inconclusive');
  });
});
