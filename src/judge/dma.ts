import { gather } from '../../spec/gather.js';
import type { DeviceRequest, Piece } from '../../spec/interface/model.js';
import type { DmaObservation, InterruptMessage, Observation } from '../../spec/interface/observations.js';
import type { DmaOperation, MessageOperation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import { tokenBytes } from '../../spec/layout/tokens.js';
import type { AddressMap } from './address-map.js';
import type { World } from './world.js';

/** A device request with the bytes that a write carries. */
export interface Carried {
  readonly request: DeviceRequest;
  readonly component: string;
  /** Bytes of a write; `undefined` for a read. */
  readonly payload: Uint8Array | undefined;
}

/** The request behind a `dma` or `message` operation. */
export function carriedBy(profile: Profile, operation: DmaOperation | MessageOperation): Carried | undefined {
  const position = profile.requesters.findIndex((each) => each.id === operation.requester);
  const requester = profile.requesters[position];
  if (requester === undefined) return undefined;
  const sourceId = requester.routingId;
  const { address } = operation;
  if (operation.op === 'message') {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, Number(operation.data & 0xffff_ffffn), true);
    const request = { sourceId, pasid: undefined, address, bytes: 4, access: 'write', noSnoop: undefined } as const;
    return { component: requester.component, payload, request };
  }
  const { pasid, bytes, direction: access } = operation;
  return {
    component: requester.component,
    payload: access === 'write' ? tokenBytes(position, operation.token, bytes) : undefined,
    request: { sourceId, pasid, address, bytes, access, noSnoop: operation.noSnoop },
  };
}

/** What the pieces of a request do to a world, or why the observation does not fit. `undefined`: it does not fit. */
export function applyPieces(
  world: World,
  pieces: readonly Piece[],
  carried: Carried,
  observation: Observation,
  map: AddressMap,
  tick: number,
): { readonly world: World; readonly lost?: string } | undefined {
  const observed: Partial<DmaObservation> = observation.of === 'dma' ? observation : {};
  const blocked = pieces.some(({ effect }) => effect.kind === 'blocked');
  if (observed.status !== undefined && (observed.status === 'ok') === blocked && !touchesHole(pieces, map))
    return undefined;
  if (!snoopFits(pieces, observed.snooped)) return undefined;
  let next = world;
  let lost: string | undefined;
  for (const piece of pieces) {
    const data = observed.data?.subarray(piece.offset, piece.offset + piece.bytes);
    if (!pieceFits(next, piece, data, carried, observation, map)) return undefined;
    if (piece.effect.kind !== 'memory' || piece.bytes === 0) continue;
    const address = Number(piece.effect.address);
    const place = map.placeOf(address);
    if (place === 'device' || place === 'reserved') lost = `a request reached a ${place} region`;
    else if (carried.payload !== undefined && place !== 'hole') {
      const bytes = carried.payload.subarray(piece.offset, piece.offset + piece.bytes);
      next = { ...next, memory: next.memory.store(address, bytes, tick, `@${address}+${piece.offset}`) };
    }
  }
  return lost === undefined ? { world: next } : { world: next, lost };
}

/** Whether what was seen of snooping fits: something went to memory, and what was not snooped need not be (N39). */
function snoopFits(pieces: readonly Piece[], snooped: boolean | undefined): boolean {
  if (snooped === undefined) return true;
  const accesses = gather(pieces, ({ effect }) => (effect.kind === 'memory' ? [effect] : []));
  return accesses.length > 0 && (snooped || accesses.some((effect) => effect.snooped === undefined));
}

/** The clauses that an observation of snooping was held against. */
export function snoopClauses(pieces: readonly Piece[], observation: Observation): readonly string[] {
  if (observation.of !== 'dma' || observation.snooped === undefined) return [];
  return gather(pieces, ({ effect }) =>
    effect.kind === 'memory' && effect.snooped !== undefined ? [effect.snooped] : [],
  );
}

function touchesHole(pieces: readonly Piece[], map: AddressMap): boolean {
  return pieces.some(({ effect }) => effect.kind === 'memory' && map.placeOf(Number(effect.address)) === 'hole');
}

/**
 * Whether what was seen of a piece fits its effect: a translated read gives what memory holds,
 * a blocked read nothing that memory holds (VTD-FLT-002), an interrupt request its message.
 */
function pieceFits(
  world: World,
  piece: Piece,
  data: Uint8Array | undefined,
  carried: Carried,
  observation: Observation,
  map: AddressMap,
): boolean {
  if (piece.effect.kind === 'interrupt') {
    const { messages } = observation;
    return messages === undefined || messages.some((each) => isMessageOf(carried, each));
  }
  if (data === undefined || world.lost !== undefined) return true;
  if (piece.effect.kind === 'blocked') return !showsPaint(data, carried.request.address + BigInt(piece.offset), map);
  const held = world.memory.bytes(Number(piece.effect.address), piece.bytes);
  return held === undefined || Buffer.compare(held, data) === 0;
}

/** Whether a message is the DWORD write that was taken as an interrupt request: passed on unchanged with IRES=0. */
function isMessageOf({ request, payload }: Carried, message: InterruptMessage): boolean {
  if (message.address !== request.address) return false;
  if (payload === undefined) return true;
  const data = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true);
  return message.data === BigInt(data);
}

/** Whether bytes that a device read hold a word of the arena's paint. */
function showsPaint(data: Uint8Array, address: bigint, map: AddressMap): boolean {
  return paintedAt(data, address, map).length > 0;
}

/** For every word of paint in the data: the host-physical address that the data's first byte would have come from. */
export function paintedAt(data: Uint8Array, address: bigint, map: AddressMap): readonly bigint[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const found: bigint[] = [];
  for (let at = Number((8n - (address & 7n)) & 7n); at + 8 <= data.length; at += 8) {
    if (view.getUint8(at + 7) !== 0xa5 || view.getUint8(at) !== 0x5a) continue;
    const source = Number((view.getBigUint64(at, true) >> 8n) & 0xffff_ffff_ffffn) * 8;
    if (map.placeOf(source) === 'arena') found.push(BigInt(source - at));
  }
  return [...new Set(found)];
}
