import type { Profile } from '../../spec/interface/profile.js';
import { FRAME_BYTES } from '../../spec/layout/tokens.js';
import { issue, type Task } from './task.js';

/** There is no free frame. */
export class OutOfFrames extends Error {}

/** The host's free memory: frames of the arena, the last one given back is taken first. */
export class FramePool {
  private readonly free: bigint[] = [];

  constructor({ arena }: Profile) {
    for (let at = arena.bytes - FRAME_BYTES; at >= 0; at -= FRAME_BYTES) this.free.push(arena.base + BigInt(at));
  }

  /** Takes a frame; it may still hold anything. @throws OutOfFrames */
  take(): bigint {
    const frame = this.free.pop();
    if (frame === undefined) throw new OutOfFrames('no frame is free');
    return frame;
  }

  /** Gives a frame back that nothing can reach any more. */
  give(frame: bigint): void {
    this.free.push(frame);
  }
}

/** Fills a frame with zeros. */
export function* clear(frame: bigint): Task<void> {
  yield* issue({ op: 'store', address: frame, words: [0n], repeat: FRAME_BYTES / 8 });
}
