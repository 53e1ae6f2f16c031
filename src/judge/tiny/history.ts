import type { Observation } from '../../../spec/interface/observations.js';
import type { Operation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { History, Step } from '../../../spec/interface/scenario.js';
import { paintWord, tokenBytes } from '../../../spec/layout/tokens.js';
import {
  CCMD_FIELDS,
  CONTEXT_ENTRY,
  CONTEXT_GRANULARITY,
  FRCD_FIELDS,
  FSTS_FIELDS,
  GLOBAL_COMMAND,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IVA_FIELDS,
  ROOT_ENTRY,
  SECOND_STAGE_ENTRY,
} from '../../../spec/layout/vtd.js';
import { DESCRIPTORS } from '../../../spec/layout/vtd-queue.js';
import { compose, dataAddress, frameAddress, pageAddress, REQUESTERS, ROUTING_IDS, TABLES, UNIT } from './platform.js';
import {
  alphabetOf,
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  CONTEXT,
  domainOf,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  PLACES,
  ROOT,
  SUPERPAGE,
  type TinyOperation,
  type TinyWorld,
  treeOf,
} from './world.js';

/** Bytes of a request, and from one request's place in a page to the next one's. */
const BYTES = 16;
const STRIDE = 64;
const HALF = (1n << 64n) - 1n;

/** What an operation shows, beside when. */
type Shown<T = Observation> = T extends Observation ? Omit<T, 'begin' | 'complete' | 'messages'> : never;
type Pair = readonly [operation: Operation, shown: Shown];

/** How a history is written down. */
export interface HistoryOptions {
  /** Software reads the fault record after each blocked request, and so sees the reason. */
  readonly reasons: boolean;
}

/**
 * The history of a world up to the request that the last of `outcomes` belongs to, as an ideal target shows it:
 * reads show the bytes of their frame, writes are looked for in every frame, blocked requests end with a status.
 */
export function historyOf(
  world: TinyWorld,
  outcomes: readonly number[],
  profile: Profile,
  options: HistoryOptions,
): History {
  const pairs: Pair[] = [...setUp(world)];
  const writer = new Writer(world, pairs, options);
  for (const operation of world.operations) {
    if (writer.requests === outcomes.length) break;
    writer.write(operation, outcomes);
  }
  const steps = pairs.map(([operation, shown], at): Step => {
    const observation = { ...shown, begin: 2 * at, complete: 2 * at + 1, messages: [] } as Observation;
    return { operation, observation };
  });
  return { profile, start: 'ready', steps };
}

const register = (name: string, size: 4 | 8 = 8) => ({ component: UNIT, register: name, size }) as const;

function written(name: string, value: bigint, size: 4 | 8 = 8): Pair {
  return [{ op: 'regWrite', ...register(name, size), value }, { of: 'regWrite' }];
}

function polled(name: string, mask: bigint, expect: bigint, value: bigint, size: 4 | 8 = 8): Pair {
  return [
    { op: 'poll', ...register(name, size), mask, expect, limit: 100 },
    { of: 'poll', value, satisfied: true, reads: 1 },
  ];
}

function stored(address: bigint, words: readonly bigint[]): Pair {
  return [{ op: 'store', address, words }, { of: 'store' }];
}

function bytesOf(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

/** Stores the tables, latches the root table, drops everything, and switches the queue on if the world uses it. */
function setUp(world: TinyWorld): readonly Pair[] {
  const entries = Array.from({ length: PLACES }, (_, place) => entryStore(world, place, world.memory[place]!));
  const rtps = 1n << BigInt(GLOBAL_COMMAND.SRTP);
  const enabled = 1n << BigInt(GLOBAL_COMMAND.TE);
  const start: readonly Pair[] = [
    ...entries,
    stored(
      frameAddress(TABLES.status),
      Array.from({ length: 16 }, () => 0n),
    ),
    written('RTADDR', frameAddress(TABLES.root)),
    written('GCMD', enabled | rtps, 4),
    polled('GSTS', rtps, rtps, enabled | rtps, 4),
    ...byRegisters(world, { cache: 'context', scope: 'global', domain: 0, requester: 0, functionMask: 0 }),
    ...seenInRegister('context', CONTEXT_GRANULARITY.global),
    ...byRegisters(world, { cache: 'iotlb', scope: 'global', domain: 0, page: 0, wide: false, keepUpper: false }),
    ...seenInRegister('iotlb', IOTLB_GRANULARITY.global),
  ];
  if (world.through === 'registers') return start;
  const qies = 1n << BigInt(GLOBAL_COMMAND.QIE);
  return [
    ...start,
    written('IQT', 0n),
    written('IQA', frameAddress(TABLES.queue)),
    written('GCMD', enabled | qies, 4),
    polled('GSTS', qies, qies, enabled | rtps | qies, 4),
  ];
}

/** The store that gives an entry a value. Facts 3.2, 3.4, 4.4. */
function entryStore(world: TinyWorld, place: number, value: number): Pair {
  if (place === ROOT) {
    const table = frameAddress(TABLES.context + value - 1) >> 12n;
    const entry = value === 0 ? 0n : compose(ROOT_ENTRY.fields, { P: 1, CTP: table });
    return stored(frameAddress(TABLES.root) + BigInt((ROUTING_IDS[0] >> 8) * 16), [entry, 0n]);
  }
  if (place < LEVEL3) {
    const index = place - CONTEXT;
    const address = frameAddress(TABLES.context + (index >> 1)) + BigInt((ROUTING_IDS[index & 1]! & 0xff) * 16);
    return stored(address, contextWords(value));
  }
  return stored(pagingAddress(world, place), [pagingWord(place, value)]);
}

function contextWords(value: number): readonly bigint[] {
  if (value === 0) return [0n, 0n];
  const table = frameAddress(TABLES.level3 + treeOf(value)) >> 12n;
  const entry = compose(CONTEXT_ENTRY.fields, { P: 1, SSPTPTR: table, AW: 1, DID: domainOf(value) + 1 });
  return [entry & HALF, entry >> 64n];
}

function pagingAddress(world: TinyWorld, place: number): bigint {
  const { indexLow } = SECOND_STAGE_ENTRY;
  const slot = (frame: number, page: 0 | 1, level: 1 | 2 | 3): bigint =>
    frameAddress(frame) + ((pageAddress(world, page) >> BigInt(indexLow[level])) & 0x1ffn) * 8n;
  if (place < LEVEL2) return slot(TABLES.level3 + place - LEVEL3, 0, 3);
  if (place < LEVEL1) {
    // With both pages in one region the second entry of a table is one that no walk reads.
    const region = ((place - LEVEL2) & 1) as 0 | 1;
    const unused = world.sameRegion && region === 1 ? 8n : 0n;
    return slot(TABLES.level2 + ((place - LEVEL2) >> 1), region, 2) + unused;
  }
  return slot(TABLES.level1 + ((place - LEVEL1) >> 1), ((place - LEVEL1) & 1) as 0 | 1, 1);
}

function pagingWord(place: number, value: number): bigint {
  if ((value & 3) === 0) return 0n;
  const target = value >> 2;
  const large = place >= LEVEL2 && place < LEVEL1 && target === SUPERPAGE;
  const first = place < LEVEL2 ? TABLES.level2 : place < LEVEL1 ? TABLES.level1 : TABLES.data;
  const address = frameAddress(large ? 0 : first + target) >> 12n;
  return compose(SECOND_STAGE_ENTRY.fields, {
    R: value & 1,
    W: (value >> 1) & 1,
    PS: large ? 1 : 0,
    ADDR: address,
  });
}

/** CCMD, or IVA and IOTLB. Facts 1.5. */
function byRegisters(world: TinyWorld, asked: Invalidation): readonly Pair[] {
  if (asked.cache === 'context') {
    const named = { SID: ROUTING_IDS[asked.requester], FM: asked.functionMask, DID: asked.domain + 1 };
    return [written('CCMD', compose(CCMD_FIELDS, { ICC: 1, CIRG: CONTEXT_GRANULARITY[asked.scope], ...named }))];
  }
  const command = compose(IOTLB_FIELDS, { IVT: 1, IIRG: IOTLB_GRANULARITY[asked.scope], DID: asked.domain + 1 });
  if (asked.scope !== 'page') return [written('IOTLB', command)];
  const page = pageAddress(world, asked.page) >> 12n;
  const place = { ADDR: page, IH: asked.keepUpper ? 1 : 0, AM: asked.wide ? 9 : 0 };
  return [written('IVA', compose(IVA_FIELDS, place)), written('IOTLB', command)];
}

/** The command reads as done, exactly as asked. */
function seenInRegister(cache: Invalidation['cache'], granularity: number): readonly Pair[] {
  const busy = 1n << 63n;
  return cache === 'context'
    ? [polled('CCMD', busy, 0n, compose(CCMD_FIELDS, { CIRG: granularity, CAIG: granularity }))]
    : [polled('IOTLB', busy, 0n, compose(IOTLB_FIELDS, { IIRG: granularity, IAIG: granularity }))];
}

function descriptorOf(world: TinyWorld, asked: Invalidation): bigint {
  if (asked.cache === 'context') {
    const { type, fields } = DESCRIPTORS.cc_inv_dsc;
    const named = { SID: ROUTING_IDS[asked.requester], FM: asked.functionMask, DID: asked.domain + 1 };
    return BigInt(type) | compose(fields, { G: CONTEXT_GRANULARITY[asked.scope], ...named });
  }
  const { type, fields } = DESCRIPTORS.iotlb_inv_dsc;
  const page = { ADDR: pageAddress(world, asked.page) >> 12n, IH: asked.keepUpper ? 1 : 0, AM: asked.wide ? 9 : 0 };
  const place = asked.scope === 'page' ? page : {};
  return BigInt(type) | compose(fields, { G: IOTLB_GRANULARITY[asked.scope], DID: asked.domain + 1, ...place });
}

/** Writes a world's operations down, one after the other. */
class Writer {
  requests = 0;
  private outstanding: Invalidation | undefined;
  /** Descriptors put in the queue, and waits among them. */
  private descriptors = 0;
  private waits = 0;
  private readonly frames: readonly number[];

  constructor(
    private readonly world: TinyWorld,
    private readonly pairs: Pair[],
    private readonly options: HistoryOptions,
  ) {
    this.frames = alphabetOf(world).filter((outcome) => outcome < BLOCKED_BY_PAGING);
  }

  write(operation: TinyOperation, outcomes: readonly number[]): void {
    switch (operation.op) {
      case 'change':
        this.pairs.push(entryStore(this.world, operation.place, operation.value));
        break;
      case 'submit':
        this.submit(operation.invalidation);
        break;
      case 'observe':
        this.observe();
        break;
      case 'request':
        this.request(operation, outcomes[this.requests]!);
        this.requests++;
    }
  }

  private submit(asked: Invalidation): void {
    if (this.world.through === 'queue') this.put(descriptorOf(this.world, asked));
    else {
      this.pairs.push(...byRegisters(this.world, asked));
      this.outstanding = asked;
    }
  }

  private put(descriptor: bigint): void {
    const address = frameAddress(TABLES.queue) + BigInt(16 * this.descriptors++);
    this.pairs.push(
      stored(address, [descriptor & HALF, descriptor >> 64n]),
      written('IQT', BigInt(16 * this.descriptors)),
    );
  }

  /** A poll that reads 0, or a wait whose status is loaded. */
  private observe(): void {
    if (this.world.through === 'registers') {
      if (this.outstanding !== undefined) {
        const { cache, scope } = this.outstanding;
        const table: Readonly<Record<string, number>> = cache === 'context' ? CONTEXT_GRANULARITY : IOTLB_GRANULARITY;
        this.pairs.push(...seenInRegister(cache, table[scope]!));
      }
      this.outstanding = undefined;
      return;
    }
    const address = frameAddress(TABLES.status) + BigInt(8 * this.waits++);
    const { type, fields } = DESCRIPTORS.inv_wait_dsc;
    this.put(BigInt(type) | compose(fields, { SW: 1, STATUS_DATA: this.waits, STATUS_ADDRESS: address >> 2n }));
    const data = bytesOf([BigInt(this.waits)]);
    this.pairs.push([
      { op: 'load', address, bytes: 8 },
      { of: 'load', data },
    ]);
  }

  private request(operation: Extract<TinyOperation, { op: 'request' }>, outcome: number): void {
    const { requester, page, access } = operation;
    const offset = BigInt(STRIDE * (this.requests + 1));
    const blocked = outcome >= BLOCKED_BY_PAGING;
    const status = blocked ? 'unsupported-request' : 'ok';
    const address = pageAddress(this.world, page) + offset;
    const common = {
      op: 'dma',
      requester: REQUESTERS[requester],
      address,
      bytes: BYTES,
      token: this.requests,
    } as const;
    const hit = blocked ? undefined : dataAddress(outcome, page) + offset;
    if (access === 'read') {
      const data = hit === undefined ? new Uint8Array(BYTES) : paintAt(hit);
      this.pairs.push([
        { ...common, direction: 'read' },
        { of: 'dma', status, data },
      ]);
    } else {
      this.pairs.push([
        { ...common, direction: 'write' },
        { of: 'dma', status },
      ]);
      for (const frame of this.frames) {
        const place = dataAddress(frame, page) + offset;
        const data = place === hit ? tokenBytes(requester, this.requests, BYTES) : paintAt(place);
        this.pairs.push([
          { op: 'load', address: place, bytes: BYTES },
          { of: 'load', data },
        ]);
      }
    }
    if (blocked && this.options.reasons) this.pairs.push(...recordOf(operation, outcome, address));
  }
}

function paintAt(address: bigint): Uint8Array {
  return bytesOf([paintWord(address), paintWord(address + 8n)]);
}

/** Software reads the fault status and the record, and clears them. Facts 5.2, 6.2. */
function recordOf(
  { requester, access }: Extract<TinyOperation, { op: 'request' }>,
  outcome: number,
  address: bigint,
): readonly Pair[] {
  const read = access === 'read';
  const paging = read ? 6 : 5;
  const reason = outcome === BLOCKED_BY_ROOT ? 1 : outcome === BLOCKED_BY_CONTEXT ? 2 : paging;
  const record = compose(FRCD_FIELDS, {
    F: 1,
    T1: read ? 1 : 0,
    FR: reason,
    SID: ROUTING_IDS[requester],
    FI: address >> 12n,
  });
  const frcd = { component: UNIT, register: 'FRCD' } as const;
  return [
    [
      { op: 'regRead', ...register('FSTS', 4) },
      { of: 'regRead', value: compose(FSTS_FIELDS, { PPF: 1 }) },
    ],
    [
      { op: 'regRead', ...frcd, offset: 0, size: 8 },
      { of: 'regRead', value: record & HALF },
    ],
    [
      { op: 'regRead', ...frcd, offset: 8, size: 8 },
      { of: 'regRead', value: record >> 64n },
    ],
    [{ op: 'regWrite', ...frcd, offset: 12, size: 4, value: 0x8000_0000n }, { of: 'regWrite' }],
  ];
}
