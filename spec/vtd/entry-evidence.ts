import type { Evidence } from '../interface/judgement.js';

/** An entry that was read, as evidence. What it says is worked out only when somebody looks. */
export class EntryEvidence implements Evidence {
  readonly what: string;
  readonly address: bigint;
  readonly words: readonly bigint[];
  private readonly describe: (words: readonly bigint[]) => string;

  constructor(what: string, address: bigint, words: readonly bigint[], describe: (words: readonly bigint[]) => string) {
    this.what = what;
    this.address = address;
    this.words = words;
    this.describe = describe;
  }

  get reading(): string {
    return this.describe(this.words);
  }
}
