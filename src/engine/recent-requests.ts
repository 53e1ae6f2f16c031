/** Requests that are remembered. */
const ROOM = 4;

/** The last few requests, in no order. */
export class RecentRequests {
  readonly sourceIds = new Int32Array(ROOM);
  readonly highs = new Int32Array(ROOM);
  readonly lows = new Int32Array(ROOM);
  private next = 0;
  private filled = 0;

  /** Requests held. */
  get count(): number {
    return this.filled;
  }

  add(sourceId: number, high: number, low: number): void {
    const at = this.next;
    this.sourceIds[at] = sourceId;
    this.highs[at] = high;
    this.lows[at] = low;
    this.next = (at + 1) % ROOM;
    this.filled = Math.min(this.filled + 1, ROOM);
  }

  clear(): void {
    this.next = 0;
    this.filled = 0;
  }
}
