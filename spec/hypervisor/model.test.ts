import { describe, expect, it } from 'vitest';
import { DEFAULT_SHAPE, shapeOf } from '../../src/engine/index.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import type { Answer, Stimulus } from '../interface/scenario.js';
import type { Reach, Verdict } from '../interface/software.js';
import { tokenBytes } from '../layout/tokens.js';
import { hypervisorModel as model } from './model.js';
import type { HypervisorState } from './state.js';

const profile = engineProfile(shapeOf(DEFAULT_SHAPE));
const FRAME = profile.arena.base + 0x7000n;
const OTHER = FRAME + 0x1000n;

/** A record written down by hand: every step is held against the promises, and the first one broken is kept. */
class Record {
  private state: HypervisorState = model.initial({}, profile);
  private next = 0;
  broken: string | undefined;

  /** Asks, with what will be answered; gives the number by which it is answered. */
  ask(actor: string, action: string, given: Stimulus['arguments'], answer?: Answer): number {
    const id = this.next++;
    this.take(model.asked(this.state, id, { actor, action, arguments: given }, answer));
    return id;
  }

  answer(id: number, answer: Answer = {}): this {
    return this.take(model.answered(this.state, id, answer));
  }

  /** Asks and is answered at once. */
  done(actor: string, action: string, given: Stimulus['arguments'], answer: Answer = {}): this {
    return this.answer(this.ask(actor, action, given, answer), answer).rest();
  }

  accept(vcpu: string, vector?: number): this {
    const answer: Answer = vector === undefined ? {} : { vector };
    this.ask(vcpu, 'accept', {}, answer);
    return this;
  }

  signal(requester: string, sent = true): this {
    const operation = { op: 'signal', requester } as const;
    return this.take(
      model.performed(this.state, { operation, observation: { of: 'signal', begin: 0, complete: 0 }, sent }),
    );
  }

  dma(requester: string, direction: 'read' | 'write', address: bigint, reach: Reach, data?: Uint8Array): this {
    const operation = { op: 'dma', requester, direction, address, bytes: 8, token: this.next++ } as const;
    const observation = { of: 'dma', begin: 0, complete: 0, ...(data === undefined ? {} : { data }) } as const;
    return this.take(model.performed(this.state, { operation, observation, reach }));
  }

  store(address: bigint): this {
    const operation = { op: 'store', address, words: [0n] } as const;
    return this.take(model.performed(this.state, { operation, observation: { of: 'store', begin: 0, complete: 0 } }));
  }

  rest(): this {
    return this.take(model.rest(this.state));
  }

  end(): this {
    return this.take(model.ended(this.state));
  }

  private take({ next, broken }: Verdict<HypervisorState>): this {
    this.state = next;
    this.broken ??= broken && `${broken.identity.clause} ${broken.identity.discriminator}`;
    return this;
  }
}

const BLOCKED: Reach = { addresses: [], mayBlock: true };
const at = (...addresses: readonly bigint[]): Reach => ({ addresses, mayBlock: false });
const EDU0 = { function: 'edu0', vcpu: 0, vector: 0x31 };

/** VM 0 has function edu0 and a frame at page 1. */
const begun = (): Record => new Record().done('vm0', 'attach', EDU0).done('vm0', 'map', { page: 1 }, { frame: FRAME });

describe('memory', () => {
  it('is reached where it was mapped', () => {
    expect(
      begun()
        .dma('edu0', 'write', 0x1010n, at(FRAME + 0x10n))
        .end().broken,
    ).toBeUndefined();
  });

  it.each([
    ['another page of the VM', at(OTHER + 0x10n), 'HV-TRN-002', [2, OTHER]],
    ['the host', at(OTHER + 0x10n), 'HV-ISO-002', undefined],
    ['another place in the frame', at(FRAME + 0x20n), 'HV-TRN-002', undefined],
    ['nothing', BLOCKED, 'HV-TRN-001', undefined],
  ] as const)('is not what a request for a mapped page finds: %s', (_, reach, clause, more) => {
    const record = begun();
    if (more !== undefined) record.done('vm0', 'map', { page: more[0] }, { frame: more[1] });
    expect(record.dma('edu0', 'write', 0x1010n, reach).broken).toMatch(clause);
  });

  it('may be there or not while it is mapped or unmapped, and is not there when that is answered', () => {
    const record = begun();
    const id = record.ask('vm0', 'unmap', { page: 1 }, {});
    record.dma('edu0', 'read', 0x1000n, { addresses: [FRAME], mayBlock: true });
    expect(record.broken).toBeUndefined();
    record.answer(id).dma('edu0', 'read', 0x1000n, { addresses: [FRAME], mayBlock: true });
    expect(record.broken).toBe("HV-ISO-002 read: the host's frame, page not mapped");
  });

  it('of another VM is out of reach', () => {
    const record = begun().done('vm1', 'map', { page: 1 }, { frame: OTHER });
    expect(record.dma('edu0', 'write', 0x1000n, at(OTHER)).broken).toMatch('HV-ISO-001');
  });

  it('is given to one page only, and only when it is free', () => {
    expect(begun().done('vm1', 'map', { page: 1 }, { frame: FRAME }).broken).toBe('HV-OWN-001 frame of another VM');
    const record = begun();
    const unmap = record.ask('vm0', 'unmap', { page: 1 }, {});
    const map = record.ask('vm1', 'map', { page: 1 }, { frame: FRAME });
    expect(record.answer(unmap).answer(map, { frame: FRAME }).broken).toBeUndefined();
  });

  it('is not taken from a VM before its unmap is answered', () => {
    const record = begun();
    record.ask('vm0', 'unmap', { page: 1 }, {});
    const map = record.ask('vm1', 'map', { page: 1 }, { frame: FRAME });
    expect(record.answer(map, { frame: FRAME }).broken).toBe('HV-OWN-001 frame of another VM');
  });

  it('holds nothing that another VM wrote', () => {
    const record = begun()
      .done('vm1', 'attach', { ...EDU0, function: 'edu1' })
      .done('vm1', 'map', { page: 1 }, { frame: OTHER });
    record.dma('edu1', 'write', 0x1000n, at(OTHER));
    const token = 4;
    expect(record.dma('edu0', 'read', 0x1000n, at(FRAME), new Uint8Array(8)).broken).toBeUndefined();
    const stolen = tokenBytes(1, token, 8);
    expect(record.dma('edu0', 'read', 0x1000n, at(FRAME), stolen).broken).toBe('HV-ISO-003 read: bytes of another VM');
  });

  it('is left alone by the host', () => {
    expect(begun().store(OTHER).broken).toBeUndefined();
    expect(begun().store(FRAME + 8n).broken).toMatch('HV-OWN-002');
  });
});

describe('functions', () => {
  it('reach nothing when they were taken away', () => {
    const record = begun().done('vm0', 'detach', { function: 'edu0' });
    expect(record.dma('edu0', 'write', 0x1000n, BLOCKED).broken).toBeUndefined();
    expect(record.dma('edu0', 'write', 0x1000n, at(FRAME)).broken).toBe(
      "HV-ISO-001 write: another VM's frame, function of no VM",
    );
  });

  it('are given to one VM at a time', () => {
    expect(begun().done('vm1', 'attach', EDU0, { refused: 'the function is assigned' }).broken).toBeUndefined();
    expect(begun().done('vm1', 'attach', EDU0).broken).toBe('HV-FN-001 attach done');
  });

  it('are not given to two VMs that ask at the same time', () => {
    const record = new Record();
    const [first, second] = [record.ask('vm0', 'attach', EDU0, {}), record.ask('vm1', 'attach', EDU0, {})];
    expect(record.answer(second).broken).toBeUndefined();
    expect(record.answer(first).broken).toBe('HV-FN-001 attach done');
  });

  it('stay with their VM when another asks for them', () => {
    const record = begun().done('vm1', 'map', { page: 1 }, { frame: OTHER });
    record.ask('vm1', 'attach', EDU0, {});
    expect(record.dma('edu0', 'read', 0x1000n, at(OTHER)).broken).toMatch('HV-ISO-001');
  });

  it('go to a VM that waits for them as soon as they are taken away', () => {
    const waited = (): Record => {
      const record = new Record();
      const first = record.ask('vm0', 'attach', EDU0, {});
      record.ask('vm1', 'attach', EDU0, {});
      return record.answer(first).done('vm1', 'map', { page: 1 }, { frame: FRAME });
    };
    const early = waited().dma('edu0', 'read', 0x1000n, at(FRAME));
    expect(early.broken).toMatch('HV-ISO-001');
    const late = waited().done('vm0', 'detach', EDU0).dma('edu0', 'read', 0x1000n, at(FRAME));
    expect(late.broken).toBeUndefined();
  });

  it('are given when they are free', () => {
    const refused = new Record().done('vm1', 'attach', EDU0, { refused: 'not today' });
    expect(refused.broken).toBe('HV-REQ-001 attach refused');
  });

  it('are answered for', () => {
    const record = new Record();
    record.ask('vm0', 'attach', EDU0);
    expect(record.end().broken).toBe('HV-LIVE-001 attach unanswered');
  });
});

describe('interrupts', () => {
  it('arrive once for each event, or merged', () => {
    expect(begun().signal('edu0').rest().accept('vm0.vcpu0', 0x31).accept('vm0.vcpu0').broken).toBeUndefined();
    const merged = begun().signal('edu0').signal('edu0').rest().accept('vm0.vcpu0', 0x31);
    expect(merged.accept('vm0.vcpu0').broken).toBeUndefined();
  });

  it('may not have arrived as long as the software is at work', () => {
    expect(begun().signal('edu0').accept('vm0.vcpu0').rest().accept('vm0.vcpu0', 0x31).broken).toBeUndefined();
    expect(begun().signal('edu0').rest().accept('vm0.vcpu0').broken).toBe('HV-DLV-001 event lost');
  });

  it.each([
    ['more often than there were events', 'HV-DLV-003', begun().signal('edu0').rest().accept('vm0.vcpu0', 0x31), 0x31],
    ['where nothing was ever routed', 'HV-DLV-002', begun().signal('edu0').rest(), 0x99],
    ['after the function was taken away', 'HV-DLV-007', begun().done('vm0', 'detach', { function: 'edu0' }), 0x31],
  ] as const)('do not arrive %s', (_, clause, record, vector) => {
    record.ask('vm0.vcpu0', 'eoi', {}, {});
    expect(record.accept('vm0.vcpu0', vector).broken).toMatch(clause);
  });

  it('go the old or the new way while they are routed anew, and the new way from then on', () => {
    const route = { function: 'edu0', vcpu: 1, vector: 0x52 };
    const during = (): Record => {
      const record = begun();
      const id = record.ask('vm0.guest', 'route', route, {});
      return record.signal('edu0').answer(id).rest();
    };
    expect(during().accept('vm0.vcpu0', 0x31).broken).toBeUndefined();
    expect(during().accept('vm0.vcpu1', 0x52).broken).toBeUndefined();
    const after = begun().done('vm0.guest', 'route', route).signal('edu0').rest();
    expect(after.accept('vm0.vcpu0', 0x31).broken).toMatch('HV-DLV-007');
  });

  it('are kept while they are masked, and delivered once when they are not', () => {
    const masked = (): Record => begun().done('vm0.guest', 'mask', { function: 'edu0' }).signal('edu0').rest();
    expect(masked().accept('vm0.vcpu0').broken).toBeUndefined();
    expect(masked().accept('vm0.vcpu0', 0x31).broken).toBeDefined();
    const unmasked = (): Record => {
      const record = masked().accept('vm0.vcpu0');
      return record.done('vm0.guest', 'unmask', { function: 'edu0' });
    };
    expect(unmasked().accept('vm0.vcpu0', 0x31).accept('vm0.vcpu0').broken).toBeUndefined();
    expect(unmasked().accept('vm0.vcpu0').broken).toBe('HV-DLV-006 held event lost');
  });

  it('come in the order of their priority', () => {
    const two = (): Record => {
      const record = begun().done('vm0', 'attach', { function: 'edu1', vcpu: 0, vector: 0x52 });
      return record.signal('edu0').signal('edu1').rest();
    };
    expect(two().accept('vm0.vcpu0', 0x52).broken).toBeUndefined();
    expect(two().accept('vm0.vcpu0', 0x31).broken).toMatch('APIC-007');
    expect(two().accept('vm0.vcpu0', 0x52).accept('vm0.vcpu0', 0x31).broken).toMatch('APIC-006');
    const held = two();
    held.ask('vm0.vcpu0', 'tpr', { priority: 0x50 }, {});
    expect(held.accept('vm0.vcpu0').broken).toBeUndefined();
  });

  it('of an assigned function are enabled', () => {
    expect(begun().signal('edu0', false).broken).toBe('HV-DLV-001 no message');
    expect(new Record().signal('edu0', false).broken).toBeUndefined();
  });
});
