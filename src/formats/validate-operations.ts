import type {
  CpuOperation,
  DmaOperation,
  MessageOperation,
  Operand,
  Operation,
  PollOperation,
  RegisterAddress,
  RegisterReadOperation,
  RegisterWriteOperation,
  SignalOperation,
} from '../../spec/interface/operations.js';
import type { Profile, Requester } from '../../spec/interface/profile.js';
import { type DataPath, type Problem, show } from './bad-input.js';

/** What is known while going through a scenario: the profile, the operations, and which tokens were used. */
interface Context {
  readonly profile: Profile;
  readonly operations: readonly Operation[];
  readonly used: Set<string>;
}

/**
 * Everything that a list of operations asks for and the profile cannot give, or
 * that means nothing: references that lead nowhere, unaligned or outside
 * addresses, unknown requesters, wrong sizes, tokens used twice. Paths begin with the operation's index.
 */
export function operationProblems(profile: Profile, operations: readonly Operation[]): Problem[] {
  const context: Context = { profile, operations, used: new Set() };
  return operations.flatMap((operation, index) =>
    problemsOf(context, operation, index).map(({ path, message }) => ({ path: [index, ...path], message })),
  );
}

function problemsOf(context: Context, operation: Operation, index: number): Problem[] {
  switch (operation.op) {
    case 'store':
      return memoryProblems(context, operation.address, operation.words.length * 8 * (operation.repeat ?? 1), [
        'words',
      ]);
    case 'paint':
    case 'load':
      return memoryProblems(context, operation.address, operation.bytes, ['bytes']);
    case 'regWrite':
    case 'regRead':
    case 'poll':
      return registerProblems(context, operation, index);
    case 'configRead':
    case 'configWrite': {
      const value = operation.op === 'configWrite' ? operation.value : 0n;
      return [
        ...check(
          operation.offset % operation.size === 0,
          ['offset'],
          `a multiple of ${operation.size}`,
          operation.offset,
        ),
        ...operandProblems(context, value, index, ['value'], operation.size),
      ];
    }
    case 'dma':
      return dmaProblems(context, operation);
    case 'message':
      return messageProblems(context, operation);
    case 'signal':
      return signalProblems(context, operation);
    case 'cpu':
      return tokenProblems(context, operation, operation.vcpu);
    case 'controllerRead':
    case 'eoi':
    case 'settle':
    case 'reset':
      return [];
  }
}

function check(holds: boolean, path: DataPath, expected: string, got: unknown): Problem[] {
  return holds ? [] : [{ path, message: `expected ${expected}, got ${show(got)}` }];
}

function memoryProblems(context: Context, address: bigint, bytes: number, sizePath: DataPath): Problem[] {
  const { base, bytes: arenaBytes } = context.profile.arena;
  const inside = address >= base && address + BigInt(bytes) <= base + BigInt(arenaBytes);
  const range = `${show(base)}..${show(base + BigInt(arenaBytes) - 1n)}`;
  const got = `${show(address)}..${show(address + BigInt(bytes) - 1n)}`;
  return [
    ...check(address % 8n === 0n, ['address'], 'an address that is 8-byte aligned', address),
    ...check(bytes % 8 === 0, sizePath, 'a multiple of 8 bytes', bytes),
    ...(inside ? [] : [{ path: ['address'], message: `expected memory inside the arena ${range}, got ${got}` }]),
  ];
}

type RegisterOperation = RegisterWriteOperation | RegisterReadOperation | PollOperation;

function registerProblems(context: Context, operation: RegisterOperation, index: number): Problem[] {
  const problems = [...componentProblems(context, operation)];
  if (operation.index !== undefined) problems.push(...operandProblems(context, operation.index, index, ['index'], 8));
  if (operation.op === 'regWrite') {
    problems.push(...operandProblems(context, operation.value, index, ['value'], operation.size));
  }
  if (operation.op === 'poll') {
    const { mask, expect, size } = operation;
    problems.push(
      ...check(fits(mask, size), ['mask'], `at most ${size * 8} bits`, mask),
      ...check((expect & ~mask) === 0n, ['expect'], `only bits of the mask ${show(mask)}`, expect),
    );
  }
  return problems;
}

function componentProblems(context: Context, { component }: RegisterAddress): Problem[] {
  const { components } = context.profile;
  const expected = `a component of the profile (${Object.keys(components).join(', ')})`;
  return check(Object.hasOwn(components, component), ['component'], expected, component);
}

function fits(value: bigint, bytes: number): boolean {
  return value >= 0n && value >> BigInt(bytes * 8) === 0n;
}

const WITH_VALUE: readonly Operation['op'][] = ['regRead', 'configRead', 'poll'];

function operandProblems(context: Context, operand: Operand, index: number, path: DataPath, bytes: number): Problem[] {
  if (typeof operand === 'bigint') return check(fits(operand, bytes), path, `at most ${bytes * 8} bits`, operand);
  const { ref } = operand;
  const refPath = [...path, 'ref'];
  if (ref >= index) return check(false, refPath, `an operation before ${index}`, ref);
  const referred = context.operations[ref]?.op;
  if (referred !== undefined && WITH_VALUE.includes(referred)) return [];
  return [
    {
      path: refPath,
      message: `expected an operation with a value (${WITH_VALUE.join(', ')}), got ${ref}: ${referred}`,
    },
  ];
}

/** The requester of a name, or the problem that there is none. */
function requesterOf(context: Context, id: string): Requester | Problem {
  const { requesters } = context.profile;
  const known = requesters.map((requester) => requester.id).join(', ');
  return (
    requesters.find((requester) => requester.id === id) ?? {
      path: ['requester'],
      message: `expected a requester of the profile (${known}), got ${show(id)}`,
    }
  );
}

function dmaProblems(context: Context, operation: DmaOperation): Problem[] {
  const requester = requesterOf(context, operation.requester);
  if ('message' in requester) return [requester];
  const { dmaBytes } = context.profile.limits;
  const pasidBits = requester.pasidBits;
  const pasid = operation.pasid === undefined || (pasidBits > 0 && operation.pasid < 2 ** pasidBits);
  const width = pasidBits === 0 ? 'no PASID from this requester' : `a PASID of ${pasidBits} bits`;
  return [
    ...check(requester.dma, ['requester'], 'a requester that can do DMA', operation.requester),
    ...check(
      operation.bytes > 0 || operation.direction === 'read',
      ['bytes'],
      'at least 1 for a write',
      operation.bytes,
    ),
    ...check(operation.bytes <= dmaBytes, ['bytes'], `at most ${dmaBytes} (limits.dmaBytes)`, operation.bytes),
    ...check(
      operation.bytes > 0 || operation.direction === 'write' || requester.zeroLengthReads === true,
      ['bytes'],
      'at least 1, as this requester sends no zero-length reads',
      operation.bytes,
    ),
    ...check(
      operation.noSnoop !== true || requester.noSnoop === true,
      ['noSnoop'],
      'no such attribute from this requester',
      operation.noSnoop,
    ),
    ...check(pasid, ['pasid'], width, operation.pasid),
    ...tokenProblems(context, operation, `${operation.requester} ${operation.direction}`),
  ];
}

function tokenProblems(context: Context, operation: DmaOperation | CpuOperation, user: string): Problem[] {
  const { token } = operation;
  const { tokens } = context.profile.limits;
  const key = `${operation.op} ${user} ${token}`;
  const again = context.used.has(key);
  context.used.add(key);
  return [
    ...check(token < tokens, ['token'], `a token below ${tokens} (limits.tokens)`, token),
    ...(again ? [{ path: ['token'], message: `expected a token of its own, got ${token} again` }] : []),
  ];
}

function messageProblems(context: Context, operation: MessageOperation): Problem[] {
  const requester = requesterOf(context, operation.requester);
  if ('message' in requester) return [requester];
  return [
    ...check(requester.msi, ['requester'], 'a requester that can send messages', operation.requester),
    ...check(fits(operation.data, 4), ['data'], 'at most 32 bits', operation.data),
  ];
}

function signalProblems(context: Context, { requester: id }: SignalOperation): Problem[] {
  const requester = requesterOf(context, id);
  if ('message' in requester) return [requester];
  return check(requester.msiCapability !== undefined, ['requester'], 'a requester with an MSI capability', id);
}
