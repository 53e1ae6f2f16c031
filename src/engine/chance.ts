/** Pseudorandom numbers, 32 bits of state: equal seeds and equal stirring give equal sequences. */
export class Chance {
  private readonly seed: number;
  private state: number;

  /** @param seed 32 bits */
  constructor(seed: number) {
    this.seed = seed | 0;
    this.state = this.seed;
  }

  /** Begins the sequence anew. */
  restart(): void {
    this.state = this.seed;
  }

  /** Makes what follows depend on a number, 32 bits. */
  stir(value: number): void {
    this.state = Math.imul(this.state ^ value, 0x85eb_ca6b) ^ (this.state >>> 15);
  }

  /** A number from 0 to `limit` - 1; `limit` is at most 65536. */
  below(limit: number): number {
    this.state = (this.state + 0x9e37_79b9) | 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  }

  /** True once in `times`, on average. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}
