import { expect } from 'vitest';
import type { Judgement } from '../../spec/interface/judgement.js';
import type { InterruptMessage } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { StartState, Step } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { MSI } from '../../spec/layout/msi.js';
import { judge } from '../judge/index.js';

/** Where targets have the MSI capability of their requesters. */
const CAPABILITY = 0x40;

/** Routing IDs of the requesters that are used here. */
export const FUNCTIONS = { edu0: 0x100, edu3: 0x200 } as const;

type FunctionName = keyof typeof FUNCTIONS;

/** A write inside the MSI capability. */
export function msiWrite(name: FunctionName, offset: number, size: 1 | 2 | 4, value: bigint): Operation {
  return { op: 'configWrite', function: FUNCTIONS[name], offset: CAPABILITY + offset, size, value };
}

/** A read inside the MSI capability. */
export function msiRead(name: FunctionName, offset: number, size: 1 | 2 | 4): Operation {
  return { op: 'configRead', function: FUNCTIONS[name], offset: CAPABILITY + offset, size };
}

/** Programs a message; what decides whether it is sent is left alone. */
export function program(name: FunctionName, address: bigint, data: bigint): readonly Operation[] {
  return [
    msiWrite(name, MSI.address, 4, address & 0xffff_ffffn),
    msiWrite(name, MSI.upperAddress, 4, address >> 32n),
    msiWrite(name, MSI.data, 2, data),
  ];
}

export function enable(name: FunctionName, value: 0n | 1n = 1n): Operation {
  return msiWrite(name, MSI.control, 2, value);
}

export function signal(name: FunctionName): Operation {
  return { op: 'signal', requester: name };
}

/** A message, as far as every target shows it. */
export type Sent = Pick<InterruptMessage, 'address' | 'data'>;

/** Operations that raise interrupts, with the messages that each of these is to show. */
export interface SignalCase {
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly messages: readonly (readonly Sent[])[];
}

/** What a target has to do whatever it is; scenarios begin in the state `ready`. */
export const SIGNAL_CASES: readonly SignalCase[] = [
  {
    name: 'a programmed message',
    operations: [...program('edu0', 0xfee0_1000n, 0x41n), enable('edu0'), signal('edu0'), signal('edu0')],
    messages: [[{ address: 0xfee0_1000n, data: 0x41n }], [{ address: 0xfee0_1000n, data: 0x41n }]],
  },
  {
    name: 'nothing where MSI is disabled',
    operations: [
      signal('edu0'),
      ...program('edu0', 0xfee0_1000n, 0x41n),
      signal('edu0'),
      enable('edu0'),
      enable('edu0', 0n),
      signal('edu0'),
    ],
    messages: [[], [], []],
  },
  {
    name: 'a message that is enabled, disabled and enabled again',
    operations: [
      ...program('edu0', 0xfee0_1000n, 0x41n),
      ...[enable('edu0'), signal('edu0'), enable('edu0', 0n), signal('edu0'), enable('edu0'), signal('edu0')],
    ],
    messages: [[{ address: 0xfee0_1000n, data: 0x41n }], [], [{ address: 0xfee0_1000n, data: 0x41n }]],
  },
  {
    name: 'a message sent elsewhere by a write of the low address alone, and another vector by one of the data',
    operations: [
      ...[...program('edu0', 0xfee0_1000n, 0x41n), enable('edu0'), signal('edu0')],
      ...[msiWrite('edu0', MSI.address, 4, 0xfee0_3000n), signal('edu0')],
      ...[msiWrite('edu0', MSI.data, 2, 0x42n), signal('edu0')],
    ],
    messages: [
      [{ address: 0xfee0_1000n, data: 0x41n }],
      [{ address: 0xfee0_3000n, data: 0x41n }],
      [{ address: 0xfee0_3000n, data: 0x42n }],
    ],
  },
  {
    name: 'messages of two functions',
    operations: [
      ...[...program('edu0', 0xfee0_0000n, 0x51n), ...program('edu3', 0xfee0_2000n, 0x52n), enable('edu3')],
      ...[signal('edu0'), signal('edu3'), enable('edu0'), signal('edu3'), signal('edu0')],
    ],
    messages: [
      [],
      [{ address: 0xfee0_2000n, data: 0x52n }],
      [{ address: 0xfee0_2000n, data: 0x52n }],
      [{ address: 0xfee0_0000n, data: 0x51n }],
    ],
  },
  {
    name: 'data of more than 8 bits, and an address in another mode',
    operations: [
      ...[...program('edu0', 0xfee0_1000n, 0xc161n), enable('edu0'), signal('edu0')],
      ...[...program('edu0', 0xfee0_300cn, 0x4162n), signal('edu0')],
    ],
    messages: [[{ address: 0xfee0_1000n, data: 0xc161n }], [{ address: 0xfee0_300cn, data: 0x4162n }]],
  },
  {
    name: 'nothing after a reset',
    operations: [
      ...[...program('edu0', 0xfee0_1000n, 0x41n), enable('edu0'), signal('edu0')],
      ...[{ op: 'reset', scope: 'warm' } as const, signal('edu0'), enable('edu0', 0n), signal('edu0')],
    ],
    messages: [[{ address: 0xfee0_1000n, data: 0x41n }], [], []],
  },
];

/** What a scenario showed. */
export interface Shown {
  readonly steps: readonly Step[];
  /** Of each `signal`, in order; without their source. */
  readonly messages: readonly (readonly Sent[] | undefined)[];
  readonly judgement: Judgement;
}

/** Runs operations one at a time, as software under test does, and judges them. */
export async function runSignals(
  target: Target,
  operations: readonly Operation[],
  start: StartState = 'ready',
): Promise<Shown> {
  const profile = await target.describe();
  expect(await target.begin(start)).toBeUndefined();
  const steps: Step[] = [];
  for (const operation of operations) {
    const { observations, failure } = await target.run([operation]);
    expect(failure).toBeUndefined();
    steps.push({ operation, observation: observations[0]! });
  }
  const messages = steps
    .filter(({ operation }) => operation.op === 'signal')
    .map(({ observation }) => observation.messages?.map(({ address, data }) => ({ address, data })));
  return { steps, messages, judgement: judge({ profile, start, steps }) };
}
