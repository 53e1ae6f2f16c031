import type { InterruptMessage } from '../../spec/interface/observations.js';
import type { Requester } from '../../spec/interface/profile.js';
import { MESSAGE_ADDRESS, MSI } from '../../spec/layout/msi.js';
import { issue, Lock, pause, type Task, waitUntil } from './task.js';
import type { VirtualCpu } from './vcpu.js';

/** Where a function's interrupt goes. Replaced as a whole, never changed. */
export interface Route {
  readonly vcpu: VirtualCpu;
  readonly vector: number;
  /** The guest has masked it: an event is kept until it is unmasked. */
  readonly masked: boolean;
}

/** Host vector of the first function; the others follow. */
const FIRST_VECTOR = 0x50;

/** A function that can be assigned to a VM, with the host vector that its interrupt has for good. */
export class AssignableFunction {
  readonly requester: Requester;
  /** Held while it is given to another owner or its interrupt is set up anew. */
  readonly lock: Lock;
  /** Domain of the VM that has it. */
  owner: number | undefined;
  private readonly vector: number;
  private route: Route | undefined;
  /** The route that each handler under way goes by. */
  private readonly underWay: (Route | undefined)[] = [];
  /** An event came while the route was masked. */
  private kept = false;
  /** The host's local APIC: the vector is requested while its handler runs. */
  private requested = false;
  private handling = false;

  constructor(requester: Requester, position: number) {
    this.requester = requester;
    this.vector = FIRST_VECTOR + position;
    this.lock = new Lock(`the configuration of ${requester.id}`);
  }

  /** The message that its MSI capability is to send to a host CPU. */
  private addressFor(hostCpu: number): bigint {
    return MESSAGE_ADDRESS.base | BigInt(hostCpu << MESSAGE_ADDRESS.destination);
  }

  /** Whether a message that arrived is this function's. */
  isOwn({ data }: InterruptMessage): boolean {
    return (data & 0xffn) === BigInt(this.vector);
  }

  /** Programs the interrupt and lets it go to a vCPU. */
  *connect(route: Route, hostCpu: number): Task<void> {
    const address = this.addressFor(hostCpu);
    yield* this.configure(MSI.address, 4, address);
    yield* this.configure(MSI.upperAddress, 4, address >> 32n);
    yield* this.configure(MSI.data, 2, BigInt(this.vector));
    this.route = route;
    yield* this.configure(MSI.control, 2, 1n << BigInt(MSI.enable));
  }

  /** Silences the interrupt; when it ends, no event of the function reaches a vCPU any more. */
  *disconnect(): Task<void> {
    yield* this.configure(MSI.control, 2, 0n);
    this.route = undefined;
    yield* this.synchronize();
    yield* waitUntil('the handler', () => !this.handling);
    this.kept = false;
  }

  /** Where the interrupt goes now; `undefined` when it goes nowhere. */
  get current(): Route | undefined {
    return this.route;
  }

  /** Sends later events another way; when it ends, no event goes the old way any more. */
  *redirect(route: Route): Task<void> {
    this.route = route;
    yield* this.synchronize();
    if (!route.masked && this.kept) {
      this.kept = false;
      route.vcpu.request(route.vector);
    }
  }

  /** Has the function signal to another host CPU: one store of the destination, so that no message is torn. */
  *moveTo(hostCpu: number): Task<void> {
    yield* this.configure(MSI.address, 4, this.addressFor(hostCpu));
  }

  /** The message arrived at the host CPU. Gives the handler, unless it runs already and will see the request. */
  arrived(): Task<void> | undefined {
    if (this.handling) {
      this.requested = true;
      return undefined;
    }
    this.handling = true;
    return this.handle();
  }

  /** The host's interrupt handler; at its end the host's EOI, after which a request that came meanwhile is served. */
  private *handle(): Task<void> {
    do {
      this.requested = false;
      yield* this.forward();
    } while (this.requested);
    this.handling = false;
  }

  /** Takes one event to the vCPU, by the route as it is at the beginning. */
  private *forward(): Task<void> {
    const { route } = this;
    this.underWay.push(route);
    yield* pause();
    if (route?.masked === true) this.kept = true;
    else route?.vcpu.request(route.vector);
    this.underWay.splice(this.underWay.indexOf(route), 1);
  }

  /** Waits until no handler goes by an old route. */
  private *synchronize(): Task<void> {
    yield* waitUntil('handlers that go by the old route', () => this.underWay.every((each) => each === this.route));
  }

  private *configure(offset: number, size: 2 | 4, value: bigint): Task<void> {
    const { routingId, msiCapability = 0 } = this.requester;
    yield* issue({
      op: 'configWrite',
      function: routingId,
      offset: msiCapability + offset,
      size,
      value: value & ((1n << BigInt(8 * size)) - 1n),
    });
  }
}
