import { field, isSet } from '../bits.js';
import type { MemoryView } from '../interface/model.js';
import { CONTEXT_ENTRY, ROOT_ENTRY, SECOND_STAGE_ENTRY, TRANSLATION_TYPE } from '../layout/vtd.js';
import { addressWidth, type Capabilities, largestWidth } from './capabilities.js';
import { contextEntryAddress } from './context-entry.js';
import type { PageRequest } from './outcome.js';
import { rootEntryAddress } from './root-entry.js';
import { type Level, secondStageEntryAddress } from './second-stage-entry.js';
import type { RootPointer } from './state.js';

/**
 * Where a request would go if nothing were checked: reserved bits ignored,
 * rights ignored, unsupported widths taken as the largest. No rule of any document; it only
 * helps to say what a target that let a request through did with it.
 */
export function lenientTranslation(
  request: PageRequest,
  pointer: RootPointer,
  caps: Capabilities,
  view: MemoryView,
): bigint | undefined {
  const frame = (entry: bigint): bigint => field(entry, [Math.min(51, caps.hostAddressWidth - 1), 12]) << 12n;
  const root = firstWords(view, 16, rootEntryAddress(pointer.table, request.sourceId));
  if (root === undefined || !isSet(root[0] ?? 0n, ROOT_ENTRY.fields.P)) return undefined;
  const words = firstWords(view, 16, contextEntryAddress(frame(root[0] ?? 0n), request.sourceId));
  if (words === undefined) return undefined;
  const context = (words[0] ?? 0n) | ((words[1] ?? 0n) << 64n);
  if (Number(field(context, CONTEXT_ENTRY.fields.TT)) === TRANSLATION_TYPE.passThrough) return request.address;
  const width =
    addressWidth(field(context, CONTEXT_ENTRY.fields.AW), caps) ?? addressWidth(largestWidth(caps).aw, caps);
  let table = frame(context);
  for (let level = width?.levels ?? 0; level >= 1; level--) {
    const entryWords = firstWords(view, 8, secondStageEntryAddress(table, level as Level, request.address));
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

function firstWords(view: MemoryView, bytes: number, address: bigint): readonly bigint[] | undefined {
  const reading = view.readings(address, bytes)[0];
  return reading?.kind === 'words' ? reading.words : undefined;
}
