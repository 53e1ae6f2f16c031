import type { Bench } from './bench.js';
import { type Carried, paintedAt } from './dma.js';

/**
 * Host-physical addresses where a request's bytes were seen: for a write, where the next loads
 * show its token; for a read, where the paint that it received comes from.
 */
export function seenAddresses(bench: Bench, at: number, carried: Carried): readonly bigint[] {
  const { request, payload } = carried;
  if (payload === undefined) {
    const observation = bench.steps[at]?.observation;
    const data = observation?.of === 'dma' ? observation.data : undefined;
    return data === undefined ? [] : paintedAt(data, request.address, bench.map);
  }
  const toBoundary = 4096 - Number(request.address & 0xfffn);
  const starts = toBoundary < request.bytes ? [0, toBoundary] : [0];
  const found = starts.flatMap((start) => occurrences(bench, at, payload.subarray(start, start + 4)));
  return [...new Set(found)].slice(0, 4);
}

/** Addresses in the first load after a step at which the bytes stand. */
function occurrences(bench: Bench, at: number, bytes: Uint8Array): readonly bigint[] {
  if (bytes.length < 4) return [];
  for (const { operation, observation } of bench.steps.slice(at + 1)) {
    if (operation.op !== 'load' || observation.of !== 'load' || observation.data === undefined) continue;
    const data = Buffer.from(observation.data.buffer, observation.data.byteOffset, observation.data.byteLength);
    const found: bigint[] = [];
    for (let index = data.indexOf(bytes); index >= 0; index = data.indexOf(bytes, index + 1)) {
      found.push(operation.address + BigInt(index));
    }
    if (found.length > 0) return found;
  }
  return [];
}
