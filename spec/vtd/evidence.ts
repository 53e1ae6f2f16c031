import { hex } from '../bits.js';
import type { Evidence } from '../interface/judgement.js';
import type { Content } from './content.js';

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

/** What a register held, as evidence. It is put into words only when somebody looks. */
export class RegisterEvidence implements Evidence {
  readonly what: string;
  private readonly content: Pick<Content, 'value' | 'mask'>;

  constructor(what: string, content: Pick<Content, 'value' | 'mask'>) {
    this.what = what;
    this.content = content;
  }

  get reading(): string {
    return `${hex(this.content.value)}, fixed bits ${hex(this.content.mask)}`;
  }
}
