import type { Evidence, Finding } from '../../../spec/interface/judgement.js';
import type { Operation } from '../../../spec/interface/operations.js';
import { type Line, line } from './page.js';

const LEVELS: Readonly<Record<string, number>> = { PTE: 1, PDE: 2, PDPE: 3, PML4E: 4, PML5E: 5 };

const INDENT = 8;

/** Largest indentation of the mark beneath a field. */
const MOST_COLUMNS = 80;

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The walk of a request, entry by entry; the field that decided it is marked beneath the last one. */
export function walkLines(evidence: readonly Evidence[], operation: Operation, finding?: Finding): readonly Line[] {
  const rows = evidence.map((each) => ({
    what: nameOf(each.what),
    address: each.address === undefined ? '' : hex(each.address),
    words: each.words === undefined ? '' : `[${each.words.map(hex).join(', ')}]`,
    reading: each.reading,
  }));
  const wide = (column: 'what' | 'address' | 'words'): number => Math.max(0, ...rows.map((row) => row[column].length));
  const [what, address, words] = [wide('what'), wide('address'), wide('words')];
  return rows.flatMap((row, index) => {
    const columns = [row.what.padEnd(what), row.address.padEnd(address), row.words.padEnd(words)];
    const before = columns.filter((column) => column !== '').join('  ');
    const text = `${before}${before === '' ? '' : '  '}${row.reading}`;
    const decides = index === rows.length - 1 ? decidingField(evidence[index]!, operation, finding) : undefined;
    if (decides === undefined) return [line(INDENT, text, 'gray')];
    const style = finding === undefined ? 'cyan' : 'yellow';
    return [line(INDENT, text, style), line(INDENT + placeOf(decides, row.reading, before), `▲ ${decides}`, style)];
  });
}

/** Columns before a field of an entry's reading, as far as an ordinary terminal is wide. */
function placeOf(field: string, reading: string, before: string): number {
  return Math.min(MOST_COLUMNS, before.length + 2 + Math.max(0, reading.indexOf(field)));
}

function nameOf(what: string): string {
  const level = LEVELS[what.split(' ').at(-1) ?? ''];
  return level === undefined ? what : `${what} (level ${level})`;
}

/** The field that ended a walk: what the finding names, else the right or the presence that is missing. */
function decidingField({ words, reading }: Evidence, operation: Operation, finding?: Finding): string | undefined {
  if (words === undefined) return undefined;
  const named = finding === undefined ? undefined : fieldOfFinding(finding);
  if (named !== undefined) return named;
  if (operation.op !== 'dma') return undefined;
  const fields = reading.split(/,\s*/);
  return ['P=0', operation.direction === 'write' ? 'W=0' : 'R=0'].find((field) => fields.includes(field));
}

/** "W=0" of "PTE.W=0: 5h→no record"; "all ones" of "PTE=all ones: …". */
function fieldOfFinding({ discriminator }: Finding): string | undefined {
  const found = /^(?:root-entry|context-entry|PML5E|PML4E|PDPE|PDE|PTE)(?:-leaf)?[.=]([^:]+):/.exec(discriminator);
  return found?.[1];
}
