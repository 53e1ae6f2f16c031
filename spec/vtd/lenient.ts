import { field, isSet } from '../bits.js';
import { CONTEXT_ENTRY, ROOT_ENTRY, SECOND_STAGE_ENTRY, TRANSLATION_TYPE } from '../layout/vtd.js';
import { addressWidth, type Capabilities, largestWidth } from './capabilities.js';
import { contextEntryAddress } from './context-entry.js';
import type { PageRequest, RootPointer } from './request.js';
import { rootEntryAddress } from './root-entry.js';
import { type Level, secondStageEntryAddress } from './second-stage-entry.js';
import type { ReadEntry } from './second-stage-walk.js';

/**
 * Where a request would go if nothing were checked: reserved bits ignored,
 * rights ignored, unsupported widths taken as the largest. No rule of any document; it only
 * helps to say what a target that let a request through did with it.
 */
export function lenientTranslation(
  request: PageRequest,
  pointer: RootPointer,
  caps: Capabilities,
  read: ReadEntry,
): bigint | undefined {
  const frame = (entry: bigint): bigint => field(entry, [Math.min(51, caps.hostAddressWidth - 1), 12]) << 12n;
  const root = firstWords(read, 'root', rootEntryAddress(pointer.table, request.sourceId));
  if (root === undefined || !isSet(root[0] ?? 0n, ROOT_ENTRY.fields.P)) return undefined;
  const words = firstWords(read, 'context', contextEntryAddress(frame(root[0] ?? 0n), request.sourceId));
  if (words === undefined) return undefined;
  const context = (words[0] ?? 0n) | ((words[1] ?? 0n) << 64n);
  if (Number(field(context, CONTEXT_ENTRY.fields.TT)) === TRANSLATION_TYPE.passThrough) return request.address;
  const width =
    addressWidth(field(context, CONTEXT_ENTRY.fields.AW), caps) ?? addressWidth(largestWidth(caps).aw, caps);
  let table = frame(context);
  for (let level = width?.levels ?? 0; level >= 1; level--) {
    const entryWords = firstWords(
      read,
      'second-stage',
      secondStageEntryAddress(table, level as Level, request.address),
    );
    if (entryWords === undefined) return undefined;
    const entry = entryWords[0] ?? 0n;
    const leaf = level === 1 || (level <= 3 && isSet(entry, SECOND_STAGE_ENTRY.fields.PS));
    if (leaf) {
      const offset = (1n << BigInt(SECOND_STAGE_ENTRY.indexLow[level as Level])) - 1n;
      return (frame(entry) & ~offset) | (request.address & offset);
    }
    table = frame(entry);
  }
  return undefined;
}

function firstWords(read: ReadEntry, kind: Parameters<ReadEntry>[0], address: bigint): readonly bigint[] | undefined {
  const reading = read(kind, address)[0];
  return reading?.kind === 'words' ? reading.words : undefined;
}
