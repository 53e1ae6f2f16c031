import type { Answer } from '../../spec/interface/scenario.js';
import type { ContextTables } from './contexts.js';
import { clear, type FramePool, OutOfFrames } from './frames.js';
import type { AssignableFunction, Route } from './functions.js';
import type { GuestTables } from './tables.js';
import type { Task } from './task.js';
import type { VirtualCpu } from './vcpu.js';

/** What the hypervisor says when it will not do what it was asked. */
export function refused(reason: string): Answer {
  return { refused: reason };
}

const DONE: Answer = {};

/** A VM: its memory, its vCPUs, and the functions that it was given. */
export class VirtualMachine {
  readonly domain: number;
  readonly vcpus: readonly VirtualCpu[];
  private readonly tables: GuestTables;
  private readonly pool: FramePool;
  private readonly contexts: ContextTables;
  private readonly addressWidth: number;

  constructor(
    domain: number,
    vcpus: readonly VirtualCpu[],
    tables: GuestTables,
    host: { readonly pool: FramePool; readonly contexts: ContextTables; readonly addressWidth: number },
  ) {
    this.domain = domain;
    this.vcpus = vcpus;
    this.tables = tables;
    this.pool = host.pool;
    this.contexts = host.contexts;
    this.addressWidth = host.addressWidth;
  }

  /** Gives the VM memory at a guest-physical page: a clean frame. */
  *map(page: number): Task<Answer> {
    if (this.tables.frameOf(page) !== undefined) return refused('the page is mapped');
    try {
      const frame = yield* this.cleanFrame();
      yield* this.tables.map(page, frame);
      return { frame };
    } catch (error) {
      if (error instanceof OutOfFrames) return refused('no frame is free');
      throw error;
    }
  }

  /** Takes memory away; the frame is free for others when nothing reaches it any more. */
  *unmap(page: number): Task<Answer> {
    const frame = this.tables.frameOf(page);
    if (frame === undefined) return refused('the page is not mapped');
    yield* this.tables.unmap(page);
    this.pool.give(frame);
    return DONE;
  }

  /** Puts a clean frame in the place of a page's frame. */
  *remap(page: number): Task<Answer> {
    const old = this.tables.frameOf(page);
    if (old === undefined) return refused('the page is not mapped');
    const frame = yield* this.cleanFrame();
    yield* this.tables.replace(page, frame);
    this.pool.give(old);
    return { frame };
  }

  /** Assigns a function that nobody has: first its DMA, then its interrupt. */
  *attach(assigned: AssignableFunction, route: Route, hostCpu: number): Task<Answer> {
    yield* assigned.lock.acquire();
    if (assigned.owner !== undefined) {
      assigned.lock.release();
      return refused('the function is assigned');
    }
    assigned.owner = this.domain;
    const { domain, addressWidth } = this;
    yield* this.contexts.enter(assigned.requester.routingId, { id: domain, root: this.tables.root, addressWidth });
    yield* assigned.connect(route, hostCpu);
    assigned.lock.release();
    return DONE;
  }

  /** Takes a function back: first its interrupt, then its DMA; it is free when it reaches nothing any more. */
  *detach(assigned: AssignableFunction): Task<Answer> {
    yield* assigned.lock.acquire();
    if (assigned.owner !== this.domain) {
      assigned.lock.release();
      return refused('the function is not assigned to this VM');
    }
    yield* assigned.disconnect();
    yield* this.contexts.leave(assigned.requester.routingId, this.domain);
    assigned.owner = undefined;
    assigned.lock.release();
    return DONE;
  }

  /** The guest sends a function's interrupt to another vCPU or vector, or masks it, or unmasks it. */
  *reroute(assigned: AssignableFunction, change: (route: Route) => Route, hostCpu?: number): Task<Answer> {
    yield* assigned.lock.acquire();
    const route = assigned.current;
    if (assigned.owner !== this.domain || route === undefined) {
      assigned.lock.release();
      return refused('the function is not assigned to this VM');
    }
    yield* assigned.redirect(change(route));
    if (hostCpu !== undefined) yield* assigned.moveTo(hostCpu);
    assigned.lock.release();
    return DONE;
  }

  private *cleanFrame(): Task<bigint> {
    const frame = this.pool.take();
    yield* clear(frame);
    return frame;
  }
}
