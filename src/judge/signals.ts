import type { MessageOperation, Operation } from '../../spec/interface/operations.js';
import type { Profile, Requester } from '../../spec/interface/profile.js';
import type { Step } from '../../spec/interface/scenario.js';
import { MSI } from '../../spec/layout/msi.js';
import { MSI_AFTER_RESET, type MsiState, messageOf, msiWritten } from '../../spec/pcie/msi.js';
import { operandValue } from './values.js';

/** What the functions' configuration space makes of a history; nothing in it is left to choice, so that it is worked out once. */
export interface Functions {
  /** By step: what a `signal` sends; `undefined` where it sends nothing. */
  readonly sent: ReadonlyMap<number, MessageOperation | undefined>;
  /** Steps that write configuration space where it is specified. */
  readonly followed: ReadonlySet<number>;
}

/** The function whose MSI capability holds all bytes of an access, with the offset inside the capability. */
function capabilityOf(profile: Profile, operation: Operation): { requester: Requester; offset: number } | undefined {
  if (operation.op !== 'configWrite') return undefined;
  const requester = profile.requesters.find(({ routingId }) => routingId === operation.function);
  if (requester?.msiCapability === undefined) return undefined;
  const offset = operation.offset - requester.msiCapability;
  return offset >= 0 && offset + operation.size <= MSI.bytes ? { requester, offset } : undefined;
}

/** Follows what software writes to MSI capabilities. */
export function functionsOf(profile: Profile, steps: readonly Step[]): Functions {
  const states = new Map<string, MsiState>();
  const sent = new Map<number, MessageOperation | undefined>();
  const followed = new Set<number>();
  for (const [at, { operation }] of steps.entries()) {
    if (operation.op === 'reset') states.clear();
    else if (operation.op === 'configWrite') {
      const place = capabilityOf(profile, operation);
      const value = operandValue(operation.value, steps);
      if (place === undefined || value === undefined) continue;
      const { id } = place.requester;
      states.set(id, msiWritten(states.get(id) ?? MSI_AFTER_RESET, place.offset, operation.size, value));
      followed.add(at);
    } else if (operation.op === 'signal') {
      const message = messageOf(states.get(operation.requester) ?? MSI_AFTER_RESET);
      sent.set(at, message && { op: 'message', requester: operation.requester, ...message });
    }
  }
  return { sent, followed };
}
