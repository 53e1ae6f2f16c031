import { ACCESS } from './access.js';
import type { MessageSink } from './events.js';
import type { PhysicalMemory } from './memory.js';
import { OUTCOME, type RemappingUnit } from './unit.js';

const PAGE_BYTES = 4096;
const TWO_TO_32 = 2 ** 32;

/**
 * The way from devices through a remapping unit to memory. A request that crosses 4 KiB boundaries is split there and
 * each piece is a request of its own.
 */
export class DmaPort {
  /** Whether something of the last request went to memory. */
  reachedMemory = false;
  /** Whether all that the last request did to memory was snooped. */
  snooped = true;
  private readonly unit: RemappingUnit;
  private readonly memory: PhysicalMemory;
  private readonly sendMessage: MessageSink;

  constructor(unit: RemappingUnit, memory: PhysicalMemory, sendMessage: MessageSink) {
    this.unit = unit;
    this.memory = memory;
    this.sendMessage = sendMessage;
  }

  /**
   * A device reads. What lies in refused pages and in holes is all ones. A length of 0 is a zero-length read.
   *
   * @param high high half of the address, int32
   * @param low low half, int32
   * @param noSnoop the request's no-snoop attribute
   * @returns whether no piece was refused
   */
  read(routingId: number, high: number, low: number, into: Uint8Array, noSnoop = false): boolean {
    this.start();
    const access = into.length === 0 ? ACCESS.zeroLengthRead : ACCESS.read;
    let served = true;
    let done = 0;
    do {
      const at = (low >>> 0) + done;
      const count = Math.min(into.length - done, PAGE_BYTES - (at % PAGE_BYTES));
      if (
        this.unit.translate(routingId, at < TWO_TO_32 ? high : (high + 1) | 0, at | 0, access) === OUTCOME.translated
      ) {
        this.reach(noSnoop);
        this.memory.read(this.hostAddress(), into, done, count);
      } else {
        into.fill(0xff, done, done + count);
        served = false;
      }
      done += count;
    } while (done < into.length);
    return served;
  }

  /**
   * A device writes at least one byte. Nothing is written to refused pages and holes; an aligned DWORD to the
   * interrupt range is sent as a message.
   *
   * @param high high half of the address, int32
   * @param low low half, int32
   * @param noSnoop the request's no-snoop attribute
   * @returns whether no piece was refused
   */
  write(routingId: number, high: number, low: number, from: Uint8Array, noSnoop = false): boolean {
    this.start();
    let served = true;
    let done = 0;
    while (done < from.length) {
      const at = (low >>> 0) + done;
      const count = Math.min(from.length - done, PAGE_BYTES - (at % PAGE_BYTES));
      const access = count === 4 && at % 4 === 0 ? ACCESS.dwordWrite : ACCESS.write;
      const pieceHigh = at < TWO_TO_32 ? high : (high + 1) | 0;
      const outcome = this.unit.translate(routingId, pieceHigh, at | 0, access);
      if (outcome === OUTCOME.translated) {
        this.reach(noSnoop);
        this.memory.write(this.hostAddress(), from, done, count);
      } else if (outcome === OUTCOME.interrupt) {
        this.sendMessage(pieceHigh, at | 0, littleEndian(from, done), routingId);
      } else {
        served = false;
      }
      done += count;
    }
    return served;
  }

  private start(): void {
    this.reachedMemory = false;
    this.snooped = true;
  }

  private reach(noSnoop: boolean): void {
    this.reachedMemory = true;
    this.snooped &&= !noSnoop || this.unit.forcesSnoop !== 0;
  }

  /** Exact below 2^53; what lies above is a hole anyway. */
  private hostAddress(): number {
    return (this.unit.outHigh >>> 0) * TWO_TO_32 + (this.unit.outLow >>> 0);
  }
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
