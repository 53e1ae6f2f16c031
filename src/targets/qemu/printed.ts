import type { Readable } from 'node:stream';

/** Characters kept of the beginning and of the end. */
const KEPT = 0x8000;

/** What a QEMU may print in all, and for each scenario, before it is said to flood. */
const ALLOWED = 0x40_0000;
const ALLOWED_EACH = 0x1000;

/**
 * What QEMU prints to standard error, read as it comes: the beginning and the end are kept and the rest only counted, so that
 * neither memory nor a disk fills up.
 */
export class Printed {
  #head = '';
  #tail = '';
  #total = 0;
  #scenarios = 0;

  constructor(stream: Readable | undefined) {
    stream?.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    stream?.on('error', () => {});
  }

  /** A scenario begins. */
  next(): void {
    this.#scenarios += 1;
  }

  /** Whether it is more than anybody reads. */
  get floods(): boolean {
    return this.#total > ALLOWED + this.#scenarios * ALLOWED_EACH;
  }

  /** What was kept. */
  get text(): string {
    const left = this.#total - this.#head.length - this.#tail.length;
    const gap = left > 0 ? `\n[${left} bytes left out]\n` : '';
    return Buffer.from(`${this.#head}${gap}${this.#tail}`, 'latin1').toString('utf8');
  }

  #take(text: string): void {
    this.#total += text.length;
    const head = text.slice(0, KEPT - this.#head.length);
    this.#head += head;
    const rest = text.slice(head.length);
    if (rest !== '') {
      this.#tail = (this.#tail + rest).slice(-KEPT);
    }
  }
}
