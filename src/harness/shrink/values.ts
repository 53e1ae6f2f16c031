import type { DmaOperation, Operation, StoreOperation } from '../../../spec/interface/operations.js';
import { FRAME_BYTES } from '../../../spec/layout/tokens.js';
import type { ShrinkSession } from './session.js';

const OFFSET = BigInt(FRAME_BYTES - 1);

/** The store at an index, or `undefined` when another operation is there. */
function storeAt(session: ShrinkSession, index: number): StoreOperation | undefined {
  const operation = session.operations[index];
  return operation?.op === 'store' ? operation : undefined;
}

function ofOnce(store: StoreOperation): StoreOperation {
  const { repeat: _, ...once } = store;
  return once;
}

/** Drops words from both ends of a store, halves first. */
async function dropWords(session: ShrinkSession, index: number): Promise<void> {
  let size = Math.floor((storeAt(session, index)?.words.length ?? 0) / 2);
  while (size >= 1 && !session.spent) {
    const store = storeAt(session, index);
    if (store === undefined || store.words.length <= size) return;
    const front = { ...store, words: store.words.slice(0, -size) };
    const back = { ...store, words: store.words.slice(size), address: store.address + BigInt(8 * size) };
    const moved = (await session.replace(index, front)) || (await session.replace(index, back));
    const length = storeAt(session, index)?.words.length ?? 0;
    size = moved ? Math.min(size, Math.floor(length / 2)) : Math.floor(size / 2);
  }
}

async function repeatOnce(session: ShrinkSession, index: number): Promise<void> {
  const store = storeAt(session, index);
  if (store?.repeat === undefined) return;
  if (await session.replace(index, ofOnce(store))) return;
  for (let repeat = 2; repeat < store.repeat; repeat *= 2) {
    if (await session.replace(index, { ...store, repeat })) return;
  }
}

/** Fewer words in every store: no repetition, then no words that don't matter. */
export async function shortenStores(session: ShrinkSession): Promise<void> {
  for (let index = 0; index < session.operations.length && !session.spent; index += 1) {
    if (storeAt(session, index) === undefined) continue;
    await repeatOnce(session, index);
    await dropWords(session, index);
  }
}

/** A 64-bit value of an operation that can be made simpler. */
interface Slot {
  readonly value: bigint;
  with(value: bigint): Operation;
}

function slots(operation: Operation): readonly Slot[] {
  switch (operation.op) {
    case 'store': {
      const { address, words } = operation;
      const stored = words.map((value, at) => ({
        value,
        with: (word: bigint) => ({ ...operation, words: words.map((old, i) => (i === at ? word : old)) }),
      }));
      // The frame is lowered elsewhere, together with what points to it.
      const offset = address & OFFSET;
      return [...stored, { value: offset, with: (lower) => ({ ...operation, address: address - offset + lower }) }];
    }
    case 'regWrite':
    case 'configWrite': {
      const { value } = operation;
      return typeof value === 'bigint' ? [{ value, with: (lower) => ({ ...operation, value: lower }) }] : [];
    }
    case 'message':
      return [{ value: operation.data, with: (data) => ({ ...operation, data }) }];
    case 'dma':
      return [{ value: operation.address, with: (address) => ({ ...operation, address }) }];
    default:
      return [];
  }
}

/** Zero if that will do, else without each bit that can go, from high to low. */
async function simplify(session: ShrinkSession, index: number, at: number): Promise<void> {
  const slotNow = (): Slot | undefined => slots(session.operations[index]!)[at];
  const slot = slotNow();
  if (slot === undefined || slot.value === 0n || (await session.replace(index, slot.with(0n)))) return;
  for (let bit = BigInt(slot.value.toString(2).length - 1); bit >= 0n && !session.spent; bit -= 1n) {
    const now = slotNow()!;
    if ((now.value >> bit) & 1n) await session.replace(index, now.with(now.value & ~(1n << bit)));
  }
}

/** Simplifies stored words and where in their frame they are, written register values, message data and DMA addresses, one bit at a time. */
export async function simplifyValues(session: ShrinkSession): Promise<void> {
  for (let index = 0; index < session.operations.length; index += 1) {
    const count = slots(session.operations[index]!).length;
    for (let at = 0; at < count && !session.spent; at += 1) await simplify(session, index, at);
  }
}

async function firstAccepted(session: ShrinkSession, index: number, candidates: readonly Operation[]): Promise<void> {
  for (const candidate of candidates) if (await session.replace(index, candidate)) return;
}

const DMA_LENGTHS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/** Shorter DMA requests, loads and paints. */
export async function shortenAccesses(session: ShrinkSession): Promise<void> {
  for (let index = 0; index < session.operations.length && !session.spent; index += 1) {
    const operation = session.operations[index]!;
    if (operation.op === 'dma') {
      const shorter = DMA_LENGTHS.filter((bytes) => bytes < operation.bytes);
      await firstAccepted(
        session,
        index,
        shorter.map((bytes) => ({ ...operation, bytes })),
      );
    } else if (operation.op === 'load' || operation.op === 'paint') {
      await halve(session, index);
    }
  }
}

/** Keeps one half of a load or paint as long as one half will do. */
async function halve(session: ShrinkSession, index: number): Promise<void> {
  for (;;) {
    const operation = session.operations[index];
    if (operation === undefined || (operation.op !== 'load' && operation.op !== 'paint')) return;
    const bytes = Math.floor(operation.bytes / 16) * 8;
    if (bytes === 0 || session.spent) return;
    const rest = operation.bytes - bytes;
    const upper = { ...operation, address: operation.address + BigInt(bytes), bytes: rest };
    if (!(await session.replace(index, { ...operation, bytes })) && !(await session.replace(index, upper))) return;
  }
}

/** Renumbers tokens from 0, per requester and direction in the order of use; all at once, else one by one. */
export async function lowerTokens(session: ShrinkSession): Promise<void> {
  const next = new Map<string, number>();
  const lowered = session.operations.map((operation) => {
    if (operation.op !== 'dma') return operation;
    const key = `${operation.direction} ${operation.requester}`;
    const token = next.get(key) ?? 0;
    next.set(key, token + 1);
    return { ...operation, token };
  });
  if (await session.try(lowered)) return;
  for (let index = 0; index < session.operations.length; index += 1) {
    const operation = session.operations[index]!;
    if (operation.op === 'dma') await lowerToken(session, index, operation);
  }
}

async function lowerToken(session: ShrinkSession, index: number, operation: DmaOperation): Promise<void> {
  const used = new Set<number>();
  for (const other of session.operations) {
    if (other.op !== 'dma' || other.requester !== operation.requester) continue;
    if (other.direction === operation.direction) used.add(other.token);
  }
  for (let token = 0; token < operation.token; token += 1) {
    if (!used.has(token) && (await session.replace(index, { ...operation, token }))) return;
  }
}
