import type { Evidence } from '../../../spec/interface/judgement.js';
import type { StoreOperation } from '../../../spec/interface/operations.js';
import type { History } from '../../../spec/interface/scenario.js';
import { IQA_FIELDS } from '../../../spec/layout/vtd.js';
import {
  DESCRIPTOR_BYTES,
  DESCRIPTOR_TYPE,
  DESCRIPTORS,
  type DescriptorLayout,
} from '../../../spec/layout/vtd-queue.js';

/** Meanings told of one store. */
const MOST_MEANINGS = 8;

const PAGE = 4096n;

/** An entry in memory that walks read. */
interface Entry {
  readonly what: string;
  readonly address: bigint;
  /** What it said, by the words that it held. */
  readonly readings: ReadonlyMap<string, string>;
  readonly readBy: readonly number[];
}

interface GatheredEntry extends Entry {
  readonly readings: Map<string, string>;
  readonly readBy: number[];
}

/** What stores mean, as far as walks and the queue's place tell. */
export class Tables {
  readonly #entries: readonly Entry[];
  readonly #history: History;

  /** @param explanation the evidence of each operation */
  constructor(history: History, explanation: readonly (readonly Evidence[])[]) {
    this.#history = history;
    this.#entries = entriesOf(explanation);
  }

  /** What a store writes, a line each; empty when nothing tells. */
  meaning(operation: StoreOperation): readonly string[] {
    const entries = this.#entriesIn(operation).flatMap((entry) => entryText(entry, operation) ?? []);
    const all = [...entries, ...this.#queued(operation)];
    const more = all.length > MOST_MEANINGS ? [`… and ${all.length - MOST_MEANINGS} more entries`] : [];
    return [...all.slice(0, MOST_MEANINGS), ...more];
  }

  #entriesIn(operation: StoreOperation): readonly Entry[] {
    const end = operation.address + bytesOf(operation);
    return this.#entries.filter(({ address }) => address >= operation.address && address < end);
  }

  /** Descriptors of the invalidation queue. */
  #queued(operation: StoreOperation): readonly string[] {
    for (const { operation: written } of this.#history.steps) {
      if (written.op !== 'regWrite' || written.register !== 'IQA' || typeof written.value !== 'bigint') continue;
      const texts = descriptorTexts(operation, written.value);
      if (texts.length > 0) return texts;
    }
    return [];
  }
}

/** Whether a store writes one of these entries. */
export function writesEntry(operation: StoreOperation, evidence: readonly Evidence[]): boolean {
  const end = operation.address + bytesOf(operation);
  return evidence.some(
    ({ address, words }) =>
      address !== undefined && words !== undefined && address >= operation.address && address < end,
  );
}

function bytesOf({ words, repeat = 1 }: StoreOperation): bigint {
  return BigInt(words.length * repeat * 8);
}

function entriesOf(explanation: readonly (readonly Evidence[])[]): readonly Entry[] {
  const found = new Map<string, GatheredEntry>();
  explanation.forEach((lines, at) => {
    for (const { what, address, words, reading } of lines) {
      if (address === undefined || words === undefined) continue;
      const key = `${what} ${address}`;
      const entry: GatheredEntry = found.get(key) ?? { what, address, readings: new Map(), readBy: [] };
      found.set(key, entry);
      entry.readings.set(words.join(), reading);
      if (entry.readBy.at(-1) !== at) entry.readBy.push(at);
    }
  });
  return [...found.values()].sort((a, b) => Number(a.address - b.address));
}

/** An entry as a store leaves it; nothing where memory is merely cleared under what was read later. */
function entryText(entry: Entry, operation: StoreOperation): string | undefined {
  const { what, address, readBy } = entry;
  const reading = readingOf(entry, operation);
  const name = `${what} at 0x${address.toString(16)}`;
  if (reading === undefined) return operation.repeat === undefined ? `${name}, which was read otherwise` : undefined;
  const readers = readBy.slice(0, MOST_MEANINGS).map((at) => `#${at}`);
  return `${name}: ${reading} (read by ${readers.join(', ')}${readBy.length > MOST_MEANINGS ? ' …' : ''})`;
}

/** What the entry says by the words stored, if it was read with these. */
function readingOf(
  { address, readings }: Entry,
  { address: from, words, repeat = 1 }: StoreOperation,
): string | undefined {
  const first = Number(address - from) / 8;
  const stored = (index: number): bigint | undefined =>
    first + index < words.length * repeat ? words[(first + index) % words.length] : undefined;
  const fits = (held: string): boolean =>
    held.split(',').every((word, index) => stored(index) === undefined || String(stored(index)) === word);
  return [...readings].find(([held]) => fits(held))?.[1];
}

function descriptorTexts({ address, words, repeat = 1 }: StoreOperation, place: bigint): readonly string[] {
  const base = place & ~(PAGE - 1n);
  const pages = 1n << (place & ((1n << BigInt(IQA_FIELDS.QS[0] + 1)) - 1n));
  if (address < base || address >= base + pages * PAGE || repeat !== 1) return [];
  const wide = ((place >> BigInt(IQA_FIELDS.DW[1])) & 1n) === 1n;
  const bytes = DESCRIPTOR_BYTES[wide ? 1 : 0];
  const skip = Number((BigInt(bytes) - ((address - base) % BigInt(bytes))) % BigInt(bytes)) / 8;
  const texts: string[] = [];
  for (let index = skip; index < words.length; index += bytes / 8) {
    const number = (address - base + BigInt(index * 8)) / BigInt(bytes);
    texts.push(`invalidation queue, descriptor ${number}: ${descriptorName(words[index]!)}`);
  }
  return texts;
}

function descriptorName(word: bigint): string {
  const { low, high } = DESCRIPTOR_TYPE;
  const take = ([top, bottom]: readonly [number, number]): bigint =>
    BigInt.asUintN(top - bottom + 1, word >> BigInt(bottom));
  const type = take(low) | (take(high) << BigInt(low[0] + 1));
  const layouts: Readonly<Record<string, DescriptorLayout>> = DESCRIPTORS;
  const named = Object.entries(layouts).find(([, layout]) => BigInt(layout.type) === type);
  return named === undefined ? `of type ${type}, which is none` : named[0];
}
