import type { Observation } from '../../../spec/interface/observations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { History, Step } from '../../../spec/interface/scenario.js';
import { paintWord, tokenBytes } from '../../../spec/layout/tokens.js';
import { FRCD_FIELDS, FSTS_FIELDS } from '../../../spec/layout/vtd.js';
import { DESCRIPTORS } from '../../../spec/layout/vtd-queue.js';
import { byRegisters, descriptorOf, queued, seenInRegister, setUp } from './commands.js';
import { compose, dataAddress, frameAddress, pageAddress, REQUESTERS, ROUTING_IDS, TABLES, UNIT } from './platform.js';
import { bytesOf, HALF, type Pair, register } from './steps.js';
import { entryStore } from './tables.js';
import {
  alphabetOf,
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  type Invalidation,
  type TinyOperation,
  type TinyWorld,
} from './world.js';

/** Bytes of a request, and from one request's place in a page to the next one's. */
const BYTES = 16;
const STRIDE = 64;

/** How a history is written down. */
export interface HistoryOptions {
  /** Software reads the fault record after each blocked request, and so sees the reason. */
  readonly reasons: boolean;
}

/** Gives the history of a world up to the request that the last of the outcomes belongs to. */
export type HistoryWriter = (outcomes: readonly number[]) => History;

/**
 * Writes histories of a world as an ideal target shows them: reads show the bytes of their frame, writes are looked
 * for in every frame, blocked requests end with a status.
 */
export function historiesOf(world: TinyWorld, profile: Profile, options: HistoryOptions): HistoryWriter {
  const start = setUp(world).map(stepOf);
  let last: {
    readonly outcomes: readonly number[];
    readonly steps: readonly Step[];
    readonly begins: readonly number[];
  };
  last = { outcomes: [], steps: start, begins: [] };
  return (outcomes) => {
    const pairs: Pair[] = [];
    const begins: number[] = [];
    const writer = new Writer(world, pairs, options);
    for (const operation of world.operations) {
      if (writer.requests === outcomes.length) break;
      if (operation.op === 'request') begins.push(start.length + pairs.length);
      writer.write(operation, outcomes);
    }
    // Steps that the last history had as well are the same objects, so that a judge can go on from there.
    const differs = outcomes.findIndex((outcome, at) => outcome !== last.outcomes[at]);
    const kept = last.steps.slice(0, last.begins[differs] ?? start.length);
    const fresh = pairs.slice(kept.length - start.length);
    const steps = [...kept, ...fresh.map((pair, at) => stepOf(pair, kept.length + at))];
    last = { outcomes, steps, begins };
    return { profile, start: 'ready', steps };
  };
}

function stepOf([operation, shown]: Pair, at: number): Step {
  const observation = { ...shown, begin: 2 * at, complete: 2 * at + 1, messages: [] } as Observation;
  return { operation, observation };
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
    this.pairs.push(...queued(descriptor, this.descriptors++));
  }

  /** A poll that reads 0, or a wait whose status is loaded. */
  private observe(): void {
    if (this.world.through === 'registers') {
      if (this.outstanding !== undefined) {
        this.pairs.push(...seenInRegister(this.outstanding));
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
