import type { DmaOperation, Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Scenario } from '../../spec/interface/scenario.js';

function memory(profile: Profile, address: bigint, bytes: bigint): string | undefined {
  const { base, bytes: size } = profile.arena;
  if (address >= base && address + bytes <= base + BigInt(size)) return undefined;
  return `uses memory at 0x${address.toString(16)}, outside the arena of ${profile.name}`;
}

function request(profile: Profile, requester: string): string | undefined {
  return profile.requesters.some((r) => r.id === requester) ? undefined : `needs a requester "${requester}"`;
}

function interrupt(profile: Profile, requester: string): string | undefined {
  const sender = profile.requesters.find(({ id }) => id === requester);
  if (sender === undefined) return request(profile, requester);
  return sender.msiCapability === undefined ? `needs an MSI capability of "${requester}"` : undefined;
}

function attributes(profile: Profile, { requester, bytes, noSnoop }: DmaOperation): string | undefined {
  const sender = profile.requesters.find(({ id }) => id === requester);
  if (bytes === 0 && sender?.zeroLengthReads !== true) return `needs zero-length reads from "${requester}"`;
  return noSnoop === true && sender?.noSnoop !== true ? `needs no-snoop requests from "${requester}"` : undefined;
}

function lacking(profile: Profile, operation: Operation): string | undefined {
  switch (operation.op) {
    case 'store':
      return memory(profile, operation.address, BigInt(8 * operation.words.length * (operation.repeat ?? 1)));
    case 'paint':
    case 'load':
      return memory(profile, operation.address, BigInt(operation.bytes));
    case 'regRead':
    case 'regWrite':
    case 'poll':
      return operation.component in profile.components ? undefined : `needs a component "${operation.component}"`;
    case 'message':
      return request(profile, operation.requester);
    case 'signal':
      return interrupt(profile, operation.requester);
    case 'dma':
      if (operation.bytes > profile.limits.dmaBytes) return `needs a DMA request of ${operation.bytes} bytes`;
      if (operation.token >= profile.limits.tokens) return `needs token ${operation.token}`;
      return request(profile, operation.requester) ?? attributes(profile, operation);
    default:
      return undefined;
  }
}

/**
 * Why a target of this profile cannot run a scenario, or `undefined` when it can: a stored case that uses memory
 * outside the arena would write over what the target keeps for itself.
 */
export function unfit(profile: Profile, scenario: Scenario): string | undefined {
  if (scenario.level !== 'operations') return undefined;
  for (const [index, operation] of scenario.operations.entries()) {
    const reason = lacking(profile, operation);
    if (reason !== undefined) return `operation ${index} ${reason}`;
  }
  return undefined;
}
