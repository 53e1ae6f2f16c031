import type { Operation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import { FRAME_BYTES } from '../../../spec/layout/tokens.js';
import type { ShrinkSession } from './session.js';

type Arena = Profile['arena'];

const FRAME = BigInt(FRAME_BYTES);

/**
 * Address bits that can tell frames of the arena apart. Higher bits are left alone: a word that points into the arena
 * with a reserved address bit set still points there.
 */
function frameMask(arena: Arena): bigint {
  const last = arena.base + BigInt(arena.bytes) - 1n;
  return (1n << BigInt(last.toString(2).length)) - FRAME;
}

function inArena(arena: Arena, address: bigint): boolean {
  return address >= arena.base && address < arena.base + BigInt(arena.bytes);
}

/** Applies `map` to each value of an operation that may hold a frame's address; `device` says whether DMA addresses are such. */
function mapAddresses(operation: Operation, map: (address: bigint) => bigint, device: boolean): Operation {
  switch (operation.op) {
    case 'store':
      return { ...operation, address: map(operation.address), words: operation.words.map(map) };
    case 'paint':
    case 'load':
      return { ...operation, address: map(operation.address) };
    case 'regWrite':
    case 'configWrite':
      return typeof operation.value === 'bigint' ? { ...operation, value: map(operation.value) } : operation;
    case 'poll':
      return { ...operation, expect: map(operation.expect) };
    case 'dma':
      return device ? { ...operation, address: map(operation.address) } : operation;
    default:
      return operation;
  }
}

/** Frames of the arena that the operations name, low to high. */
export function framesUsed(operations: readonly Operation[], arena: Arena): readonly bigint[] {
  const mask = frameMask(arena);
  const used = new Set<bigint>();
  const note = (value: bigint): bigint => {
    if (inArena(arena, value & mask)) used.add(value & mask);
    return value;
  };
  for (const operation of operations) mapAddresses(operation, note, true);
  return [...used].sort((a, b) => (a < b ? -1 : 1));
}

/** Gives frames other names everywhere: in the addresses of stores and loads, in stored words, in register values. */
export function renameFrames(
  operations: readonly Operation[],
  arena: Arena,
  names: ReadonlyMap<bigint, bigint>,
  device: boolean,
): Operation[] {
  const mask = frameMask(arena);
  const rename = (value: bigint): bigint => {
    const frame = names.get(value & mask);
    return frame === undefined ? value : (value & ~mask) | frame;
  };
  return operations.map((operation) => mapAddresses(operation, rename, device));
}

/** Device addresses that equal host addresses (pass-through) move along; others only look alike. Both are tried. */
async function tryNames(session: ShrinkSession, arena: Arena, names: ReadonlyMap<bigint, bigint>): Promise<boolean> {
  const { operations } = session;
  return (
    (await session.try(renameFrames(operations, arena, names, false))) ||
    (await session.try(renameFrames(operations, arena, names, true)))
  );
}

/** The lowest free frame below `frame` that is a multiple of `alignment`. */
function lowestFree(used: ReadonlySet<bigint>, arena: Arena, frame: bigint, alignment: bigint): bigint | undefined {
  const first = ((arena.base + alignment - 1n) / alignment) * alignment;
  for (let free = first; free < frame; free += alignment) if (!used.has(free)) return free;
  return undefined;
}

async function lowerFrame(session: ShrinkSession, arena: Arena, frame: bigint): Promise<void> {
  const used = new Set(framesUsed(session.operations, arena));
  if (!used.has(frame)) return;
  const own = frame === 0n ? FRAME : frame & -frame;
  for (const alignment of own === FRAME ? [FRAME] : [FRAME, own]) {
    const free = lowestFree(used, arena, frame, alignment);
    if (free !== undefined && (await tryNames(session, arena, new Map([[frame, free]])))) return;
  }
}

/** Moves the frames in use down together to the lowest ones of the arena; all at once in their order, else one by one. */
export async function lowerFrames(session: ShrinkSession, arena: Arena): Promise<void> {
  const used = framesUsed(session.operations, arena);
  const names = new Map(used.map((frame, index) => [frame, arena.base + BigInt(index) * FRAME]));
  await tryNames(session, arena, names);
  for (const frame of framesUsed(session.operations, arena)) {
    if (session.spent) return;
    await lowerFrame(session, arena, frame);
  }
}
