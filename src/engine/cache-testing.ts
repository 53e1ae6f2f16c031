import { CCMD_FIELDS, IOTLB_FIELDS, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { QueueMachine } from './queue-testing.js';
import { type CacheSizes, NO_CACHES, type ShapeName, shapeOf } from './shapes.js';
import { CONTEXT, ROOT, ROUTING_ID } from './testing.js';

/** Another function of the same device, and a requester on another bus. */
export const SIBLING = ROUTING_ID + 1;
export const STRANGER = 0x0220;

/** Host addresses of pages before and after a change; no RAM is needed there. */
export const BEFORE = 0x4000_0000n;
export const AFTER = 0x8000_0000n;

const DOMAIN = 7;

/** What an invalidation command asks for. */
export type Command =
  | { readonly cache: 'context'; readonly granularity: 'global' }
  | { readonly cache: 'context'; readonly granularity: 'domain'; readonly domain: number }
  | {
      readonly cache: 'context';
      readonly granularity: 'device';
      readonly domain: number;
      readonly sourceId: number;
      readonly functionMask?: number;
    }
  | { readonly cache: 'iotlb'; readonly granularity: 'global' }
  | { readonly cache: 'iotlb'; readonly granularity: 'domain'; readonly domain: number }
  | {
      readonly cache: 'iotlb';
      readonly granularity: 'page';
      readonly domain: number;
      readonly address: bigint;
      readonly addressMask?: number;
      readonly hint?: boolean;
    };

const CODES = { global: 1n, domain: 2n, device: 3n, page: 3n } as const;

/** DID, SID and FM as a context command has them, and IVA, each 0 where the command has none. */
function operandsOf(command: Command) {
  const domain = BigInt('domain' in command ? command.domain : 0);
  const source = BigInt('sourceId' in command ? command.sourceId : 0);
  const functions = BigInt(('functionMask' in command ? command.functionMask : undefined) ?? 0);
  if (command.granularity !== 'page') {
    return { domain, source, functions, page: 0n };
  }
  const page = command.address | (command.hint === true ? 0x40n : 0n) | BigInt(command.addressMask ?? 0);
  return { domain, source, functions, page };
}

/** A machine with a queue and with caches of the test's choice, whose requesters have 5-level tables. */
export class CacheMachine extends QueueMachine {
  private slot = 0;

  constructor(caches: Partial<CacheSizes>, name: ShapeName = '57-1g', seed?: number) {
    super({ ...shapeOf(name), caches: { ...NO_CACHES, ...caches } }, 0n, seed);
  }

  /** Gives a requester a table by root and context entry. */
  attach(
    table: bigint,
    { routingId = ROUTING_ID, domain = DOMAIN, low = 0n, contexts = CONTEXT, width = 3n } = {},
  ): void {
    this.store(ROOT + BigInt(routingId >> 8) * 16n, contexts | 1n);
    const place = contexts + BigInt(routingId & 0xff) * 16n;
    this.store(place, table | 1n | low, width | (BigInt(domain) << 8n));
  }

  /** Where a request goes, or the fault reason as text. */
  reach(input: bigint, routingId = ROUTING_ID): bigint | string {
    const outcome = this.translate(input, 0, routingId);
    return outcome === 0 ? this.output : `fault ${outcome}`;
  }

  /** Gives a command through the registers; returns the granularity that they report. */
  byRegister(command: Command): number {
    const { domain, source, functions, page } = operandsOf(command);
    const code = CODES[command.granularity];
    if (command.cache === 'context') {
      const { offset } = VTD_REGISTERS.CCMD;
      this.write64(offset, (1n << 63n) | (code << 61n) | (functions << 32n) | (source << 16n) | domain);
      this.unit.settle();
      return Number((this.read64(offset) >> BigInt(CCMD_FIELDS.CAIG[1])) & 3n);
    }
    const offset = this.unit.capabilities.invalidateOffset;
    this.write64(offset, page);
    this.write64(offset + 8, (1n << 63n) | (code << 60n) | (domain << 32n));
    this.unit.settle();
    return Number((this.read64(offset + 8) >> BigInt(IOTLB_FIELDS.IAIG[1])) & 3n);
  }

  /** Gives a command through the queue. */
  byQueue(command: Command): void {
    const { domain, source, functions, page } = operandsOf(command);
    const type = command.cache === 'context' ? 1n : 2n;
    const low = type | (CODES[command.granularity] << 4n) | (domain << 16n) | (source << 32n) | (functions << 48n);
    this.at(this.slot, low, page);
    this.slot = (this.slot + 16) % 4096;
    this.tail(this.slot);
  }
}

/** A kind of entry, alone in the caches: how it gets there, how it is changed, and a request that it decides. */
export interface Kind {
  readonly name: string;
  readonly cache: 'context' | 'iotlb';
  readonly caches: Partial<CacheSizes>;
  /** Builds the tables; returns what changes the entry, and the request that shows it. */
  prepare(machine: CacheMachine): { readonly change: () => void; readonly request: () => bigint | string };
  /** The address to which the entry belongs. */
  readonly address: bigint;
}

function rootKind(): Kind {
  return {
    name: 'root',
    cache: 'context',
    caches: { root: 4 },
    address: 0n,
    prepare: (machine) => {
      const [old, fresh, contexts] = [machine.table(), machine.table(), machine.table()];
      machine.map(old, 5, 1, 0n, BEFORE | 3n);
      machine.map(fresh, 5, 1, 0n, AFTER | 3n);
      machine.attach(old);
      machine.enable();
      return {
        change: () => machine.attach(fresh, { contexts }),
        request: () => machine.reach(0n),
      };
    },
  };
}

function contextKind(): Kind {
  return {
    name: 'context',
    cache: 'context',
    caches: { context: 4 },
    address: 0n,
    prepare: (machine) => {
      const [old, fresh] = [machine.table(), machine.table()];
      machine.map(old, 5, 1, 0n, BEFORE | 3n);
      machine.map(fresh, 5, 1, 0n, AFTER | 3n);
      machine.attach(old);
      machine.enable();
      return { change: () => machine.attach(fresh), request: () => machine.reach(0n) };
    },
  };
}

/** The first request fills the entry of the level and those below; the others differ from it below the level. */
function structureKind(level: number): Kind {
  const base = 1n << 56n;
  const step = 1n << BigInt(12 + 9 * (level - 2));
  return {
    name: `level ${level}`,
    cache: 'iotlb',
    caches: { structure: 4 },
    address: base,
    prepare: (machine) => {
      const [top, other] = [machine.table(), machine.table()];
      let at = base;
      for (let n = 1n; n < 5n; n++) {
        machine.map(top, 5, 1, base + n * step, BEFORE | 3n);
        machine.map(other, 5, 1, base + n * step, AFTER | 3n);
      }
      const [place] = machine.map(top, 5, 1, base, BEFORE | 3n).slice(level);
      const [newPlace] = machine.map(other, 5, 1, base, AFTER | 3n).slice(level);
      machine.attach(top);
      machine.enable();
      return {
        change: () => machine.store(place!, machine.word(newPlace!)),
        request: () => {
          const shown = machine.reach(at);
          at += step;
          return shown;
        },
      };
    },
  };
}

function leafKind(level: number): Kind {
  const size = level > 1 ? 0x80n : 0n;
  const address = 1n << 56n;
  return {
    name: `leaf ${level}`,
    cache: 'iotlb',
    caches: { iotlb: 4 },
    address,
    prepare: (machine) => {
      const top = machine.table();
      const places = machine.map(top, 5, level, address, BEFORE | size | 3n);
      machine.attach(top);
      machine.enable();
      return {
        change: () => machine.store(places[level]!, AFTER | size | 3n),
        request: () => machine.reach(address),
      };
    },
  };
}

/** Every kind of entry that is cached. */
export const KINDS: readonly Kind[] = [
  rootKind(),
  contextKind(),
  ...[5, 4, 3, 2].map(structureKind),
  ...[3, 2, 1].map(leafKind),
];

/** Every granularity that covers a kind's entry. */
export function coversOf({ cache, name, address }: Kind): readonly Command[] {
  if (cache === 'context') {
    const narrow: readonly Command[] = [
      { cache, granularity: 'domain', domain: DOMAIN },
      { cache, granularity: 'device', domain: DOMAIN, sourceId: ROUTING_ID },
    ];
    return [{ cache, granularity: 'global' }, ...(name === 'root' ? [] : narrow)];
  }
  return [
    { cache, granularity: 'global' },
    { cache, granularity: 'domain', domain: DOMAIN },
    { cache, granularity: 'page', domain: DOMAIN, address },
  ];
}
