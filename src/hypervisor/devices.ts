import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Stimulus } from '../../spec/interface/scenario.js';
import { FRAME_BYTES } from '../../spec/layout/tokens.js';
import { BadStimulus, numberIn } from './hypervisor.js';

/**
 * What a device does when it is asked to: DMA at a guest-physical address, or its interrupt. `undefined`: the actor is no device.
 *
 * @throws BadStimulus
 */
export function deviceOperation({ requesters }: Profile, stimulus: Stimulus): Operation | undefined {
  const requester = requesters.find(({ id }) => id === stimulus.actor)?.id;
  if (requester === undefined) return undefined;
  switch (stimulus.action) {
    case 'read':
    case 'write': {
      const address = BigInt(numberIn(stimulus, 'page')) * BigInt(FRAME_BYTES) + BigInt(numberIn(stimulus, 'offset'));
      const [bytes, token] = [numberIn(stimulus, 'bytes'), numberIn(stimulus, 'token')];
      return { op: 'dma', requester, address, direction: stimulus.action, bytes, token };
    }
    case 'signal':
      return { op: 'signal', requester };
    default:
      throw new BadStimulus(stimulus, 'read, write or signal');
  }
}
