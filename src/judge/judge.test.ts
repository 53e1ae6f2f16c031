import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { History } from '../../spec/interface/scenario.js';
import { CAP_FIELDS } from '../../spec/layout/vtd.js';
import { createEngineTarget } from '../targets/engine.js';
import { chain, collect, dma, flush, frame, historyOf, loadAll, reg, store } from './fixtures.js';
import { BadHistory, judge } from './index.js';

const target = createEngineTarget();
const profile = await target.describe();
const end: readonly Operation[] = [...collect, loadAll(profile)];

/** The history with one observation changed. */
function tampered(history: History, at: number, change: Partial<Observation>): History {
  const steps = history.steps.map((step, index) =>
    index === at ? { ...step, observation: { ...step.observation, ...change } as Observation } : step,
  );
  return { ...history, steps };
}

const at = (history: History, name: string, nth = 0): number =>
  history.steps.flatMap(({ operation }, index) =>
    operation.op === name || ('register' in operation && operation.op === 'regRead' && operation.register === name)
      ? [index]
      : [],
  )[nth]!;

describe('a good history', () => {
  it('is conformant, and counts what decided it', async () => {
    const history = await historyOf(target, [...chain(), dma('write', 0x10n), dma('read', 0x1000n, 1), ...end]);
    const judgement = judge(history);
    expect(judgement).toMatchObject({ verdict: 'conformant', candidates: [], undecided: [] });
    expect(judgement.clauses).toMatchObject({ 'VTD-SS-024': 2, 'VTD-SS-005': 1, 'PLAT-MEM-001': 1 });
    expect(judgement.labels).toMatchObject({ read: 1, write: 1, 'page:4K': 2, 'levels:4': 2 });
  });

  it('shows a blocked request with its reason', async () => {
    const history = await historyOf(target, [...chain(frame(8) | 1n), dma('write', 0n), ...end]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', labels: { 'fault:5h': 1 } });
  });

  it('counts the fault that a known deviation kept out of the records', async () => {
    const history = await historyOf(target, [...chain(frame(8) | 1n), dma('write', 0n), ...end]);
    const nothing = { value: 0n } as Partial<Observation>;
    const silent = [at(history, 'FSTS'), at(history, 'FRCD'), at(history, 'FRCD', 1)].reduce(
      (changed, step) => tampered(changed, step, nothing),
      history,
    );
    const known = ({ kind }: { readonly kind: string }): boolean => kind === 'fault-not-recorded';
    const judgement = judge(silent, { known });
    expect(judgement).toMatchObject({ verdict: 'conformant', labels: { write: 1, 'fault:5h': 1 } });
    expect(judgement.known).toMatchObject([{ clause: 'VTD-SS-005', kind: 'fault-not-recorded' }]);
    expect(judge(silent).finding).toMatchObject({ kind: 'fault-not-recorded' });
  });

  it('may be refused as a whole where a request crosses a page', async () => {
    const history = await historyOf(target, [...chain(), dma('write', 0xff8n), ...end]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', labels: { crossing: 1 } });
  });
});

describe('a bad history', () => {
  it('is deviant when a write lands elsewhere', async () => {
    const history = await historyOf(target, [...chain(), dma('write', 0n), ...end]);
    const load = at(history, 'load');
    const data = (history.steps[load]!.observation as { data: Uint8Array }).data.slice();
    data.copyWithin(0x9000, 0x8000, 0x8010);
    data.set(judgePaint(0x8000), 0x8000);
    expect(judge(tampered(history, load, { data } as Partial<Observation>)).finding).toMatchObject({
      clause: 'VTD-SS-024',
      kind: 'wrong-address',
      certain: true,
    });
  });

  it('is deviant when a fault is not recorded', async () => {
    const history = await historyOf(target, [...chain(frame(8) | 1n), dma('write', 0n), ...end]);
    const clean = tampered(history, at(history, 'FSTS'), { value: 0n } as Partial<Observation>);
    const silent = tampered(clean, at(clean, 'FRCD', 1), { value: 0n } as Partial<Observation>);
    expect(judge(silent).finding).toMatchObject({
      clause: 'VTD-SS-005',
      kind: 'fault-not-recorded',
      discriminator: 'PTE.W=0: 5h→no record',
    });
  });

  it('is deviant when the reason is another', async () => {
    const history = await historyOf(target, [...chain(frame(8) | 3n | (1n << 62n)), dma('write', 0n), ...end]);
    const record = at(history, 'FRCD', 1);
    const value = (history.steps[record]!.observation as { value: bigint }).value;
    const other = (value & ~(0xffn << 32n)) | (7n << 32n);
    const judgement = judge(tampered(history, record, { value: other } as Partial<Observation>));
    expect(judgement.finding).toMatchObject({
      clause: 'VTD-SS-021',
      kind: 'other-reason',
      discriminator: 'PTE[62]: Ch→7h',
    });
    const known = judge(tampered(history, record, { value: other } as Partial<Observation>), {
      known: (identity) => identity.discriminator === 'PTE[62]: Ch→7h',
    });
    expect(known).toMatchObject({ verdict: 'conformant', known: [{ clause: 'VTD-SS-021' }] });
  });

  it('is deviant when a fault silenced by FPD is recorded', async () => {
    const blocked = await historyOf(target, [...chain(frame(8) | 1n), dma('write', 0n), ...end]);
    const steps = blocked.steps.map((step) =>
      step.operation.op === 'store' && step.operation.address === frame(1) && step.operation.words.length === 2
        ? {
            ...step,
            operation: { ...step.operation, words: [step.operation.words[0]! | 2n, step.operation.words[1]!] },
          }
        : step,
    );
    const load = steps.length - 1;
    const data = (steps[load]!.observation as { data: Uint8Array }).data.slice();
    data[0x1000] = data[0x1000]! | 2;
    const history = tampered({ ...blocked, steps }, load, { data } as Partial<Observation>);
    expect(judge(history).finding).toMatchObject({ clause: 'VTD-FLT-004', kind: 'fault-recorded' });
  });

  it('is deviant when a blocked read shows memory', async () => {
    const history = await historyOf(target, [...chain(frame(8) | 2n), dma('read', 0n), ...end]);
    const leak = { data: judgePaint(0x8000) } as Partial<Observation>;
    expect(judge(tampered(history, at(history, 'dma'), leak)).finding).toMatchObject({
      clause: 'PLAT-DMA-001',
      kind: 'value-differs',
    });
    const through = { data: judgePaint(0x8000), status: 'ok' } as Partial<Observation>;
    const quiet = tampered(tampered(history, at(history, 'dma'), through), at(history, 'FSTS'), {
      value: 0n,
    } as Partial<Observation>);
    const clean = tampered(quiet, at(quiet, 'FRCD', 1), { value: 0n } as Partial<Observation>);
    expect(judge(clean).finding).toMatchObject({ clause: 'VTD-SS-004', kind: 'access-let-through' });
  });

  it('names only the first deviation; later ones are candidates', async () => {
    const twice = [dma('write', 0n), ...collect, dma('write', 0x800n, 1), ...collect];
    const history = await historyOf(target, [...chain(frame(8) | 1n), ...twice, ...end]);
    let changed = history;
    for (const nth of [0, 1])
      changed = tampered(changed, at(history, 'FSTS', nth), { value: 0n } as Partial<Observation>);
    for (const nth of [1, 3])
      changed = tampered(changed, at(history, 'FRCD', nth), { value: 0n } as Partial<Observation>);
    const judgement = judge(changed);
    expect(judgement.finding?.at).toBe(at(history, 'dma', 0));
    expect(judgement.candidates.map((each) => each.at)).toEqual([at(history, 'dma', 1)]);
    const first = judge(changed, { firstOnly: true });
    expect([first.finding, first.candidates]).toEqual([judgement.finding, []]);
  });
});

describe('what software and devices see beside memory', () => {
  const read: Operation = { op: 'regRead', ...reg, register: 'CCMD', size: 8 };
  const command: Operation = { op: 'regWrite', ...reg, register: 'CCMD', size: 8, value: (0b110n << 61n) | 5n };

  it.each([
    ['reserved bits', 1n << 40n, 'VTD-REG-015'],
    ['the domain-id', 2n, 'VTD-REG-R03'],
    ['the granularity asked for', 1n << 61n, 'VTD-REG-R03'],
  ])('%s of CCMD', async (_name, bits, clause) => {
    const history = await historyOf(target, [command, ...flush.slice(1, 2), read]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', clauses: { 'VTD-REG-R03': 1 } });
    const { observation } = history.steps[2]!;
    const value = (observation.of === 'regRead' ? observation.value! : 0n) ^ bits;
    expect(judge(tampered(history, 2, { value } as Partial<Observation>)).finding).toMatchObject({ clause });
  });

  it('the data of an interrupt message', async () => {
    const history = await historyOf(target, [...chain(), dma('write', 0xfee0_1000n, 0, 4)]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', labels: { interrupt: 1 } });
    const [message] = history.steps.at(-1)!.observation.messages!;
    const messages = [{ ...message!, data: message!.data ^ 1n }];
    expect(judge(tampered(history, history.steps.length - 1, { messages })).verdict).toBe('deviant');
  });
});

describe('what may be remembered', () => {
  const remap = store(frame(5), frame(10) | 3n);

  /** The judgement when the last read shows what a frame holds. */
  const readsFrame = (history: History, number: number): Judgement => {
    const last = history.steps.findLastIndex(({ operation }) => operation.op === 'dma');
    return judge(tampered(history, last, { data: judgePaint(number * 4096) } as Partial<Observation>));
  };

  it('is the old or the new result of a change that was not flushed', async () => {
    const history = await historyOf(target, [...chain(), dma('read', 0n), remap, dma('read', 0n, 1)]);
    expect([8, 10].map((number) => readsFrame(history, number).verdict)).toEqual(['conformant', 'conformant']);
    expect(readsFrame(history, 10).clauses).toMatchObject({ 'VTD-CACHE-003': 1 });
    expect(readsFrame(history, 9)).toMatchObject({ verdict: 'deviant', finding: { kind: 'wrong-address' } });
  });

  it('is not the old result once the change was flushed', async () => {
    const history = await historyOf(target, [...chain(), dma('read', 0n), remap, ...flush, dma('read', 0n, 1)]);
    expect(readsFrame(history, 10).clauses).toMatchObject({ 'VTD-CACHE-004': 1, 'VTD-INV-001': 1 });
    expect(readsFrame(history, 8).finding).toMatchObject({
      clause: 'VTD-INV-001',
      kind: 'used-after-invalidation',
      discriminator: 'PTE after iotlb global invalidation: gone→used',
    });
  });

  it('decides an access after the change was flushed', async () => {
    const history = await historyOf(target, [
      ...chain(),
      dma('write', 0n),
      remap,
      ...flush,
      dma('write', 0n, 1),
      ...end,
    ]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', undecided: [] });
  });

  it('needs no flush where the old entry was not present', async () => {
    const late = [store(frame(5) + 16n, frame(10) | 3n), dma('write', 0x2000n)];
    const history = await historyOf(target, [...chain(), ...late, ...end]);
    expect(judge(history)).toMatchObject({ verdict: 'conformant', undecided: [], clauses: { 'VTD-CACHE-001': 1 } });
  });

  it('is known for a target, where it is listed', async () => {
    const history = await historyOf(target, [...chain(), dma('read', 0n), remap, ...flush, dma('read', 0n, 1)]);
    const last = history.steps.findLastIndex(({ operation }) => operation.op === 'dma');
    const old = tampered(history, last, { data: judgePaint(8 * 4096) } as Partial<Observation>);
    const listed = (...kinds: readonly string[]): Judgement =>
      judge(old, { known: Object.assign(() => true, { kinds: new Set(kinds) }) });
    expect(listed('used-after-invalidation', 'wrong-address').known[0]?.kind).toBe('used-after-invalidation');
    expect(listed('other-reason').known.map(({ kind }) => kind)).not.toContain('used-after-invalidation');
  });

  /** A page is mapped after it faulted; then `between`; the last request is refused, and recorded, as before. */
  async function refusedAgain(between: readonly Operation[]): Promise<History> {
    const mend = store(frame(5) + 16n, frame(10) | 3n);
    const history = await historyOf(target, [
      ...chain(),
      dma('read', 0x2000n),
      ...collect,
      mend,
      ...between,
      dma('read', 0x2000n, 1),
      ...collect,
    ]);
    const value = (where: number): Partial<Observation> => {
      const { observation } = history.steps[where]!;
      return observation.of === 'regRead' ? ({ value: observation.value } as Partial<Observation>) : {};
    };
    const seenBefore = (all: History, name: string, nth: number, first: number): History =>
      tampered(all, at(history, name, nth), value(at(history, name, first)));
    const again = seenBefore(seenBefore(seenBefore(history, 'FSTS', 1, 0), 'FRCD', 2, 0), 'FRCD', 3, 1);
    const last = again.steps.findLastIndex(({ operation }) => operation.op === 'dma');
    const ended = { status: 'unsupported-request', data: undefined, snooped: undefined };
    return tampered(again, last, ended as Partial<Observation>);
  }

  /** The history on a unit with one more capability. */
  function with_(capability: 'CM' | 'RWBF', history: History): History {
    const unit = history.profile.components['iommu0']!;
    const CAP = unit.registers['CAP']! | (1n << BigInt(CAP_FIELDS[capability][1]));
    const components = { iommu0: { ...unit, registers: { ...unit.registers, CAP } } };
    return { ...history, profile: { ...history.profile, components } };
  }

  it('is never a fault that was mended', async () => {
    const finding = { clause: 'VTD-CACHE-001', kind: 'used-after-invalidation' };
    expect(judge(await refusedAgain([])).finding).toMatchObject(finding);
  });

  it('is a fault that was mended with CM=1, until it is invalidated', async () => {
    expect(judge(with_('CM', await refusedAgain([])))).toMatchObject({
      verdict: 'conformant',
      clauses: { 'VTD-CACHE-002': 1 },
    });
    expect(judge(with_('CM', await refusedAgain(flush))).finding).toMatchObject({ clause: 'VTD-INV-001' });
  });

  it('is what memory held with RWBF=1, until the write buffer is flushed (VTD-INV-020)', async () => {
    const [context] = flush;
    expect(judge(with_('RWBF', await refusedAgain([]))).verdict).toBe('conformant');
    expect(judge(with_('RWBF', await refusedAgain([context!]))).verdict).toBe('conformant');
    expect(judge(with_('RWBF', await refusedAgain(flush.slice(0, 2)))).verdict).toBe('deviant');
  });

  it('is either table where two share a domain-id (N53)', async () => {
    const second = [
      store(frame(1) + 16n, frame(6) | 1n, 2n | (7n << 8n)),
      { op: 'store', address: frame(6), words: [0n], repeat: 512 } as Operation,
    ];
    const history = await historyOf(target, [...chain(), ...second, dma('read', 0n)]);
    expect(readsFrame(history, 8)).toMatchObject({ verdict: 'conformant' });
    expect(readsFrame(history, 9).verdict).toBe('deviant');
  });
});

describe('a history that cannot be', () => {
  it('is refused with the operation named', async () => {
    const history = await historyOf(target, [...chain(), dma('read', 0n), ...end]);
    const wrong = tampered(history, at(history, 'dma'), { data: new Uint8Array(3) } as Partial<Observation>);
    expect(() => judge(wrong)).toThrow(BadHistory);
    expect(() => judge(tampered(history, 2, { of: 'load' } as Partial<Observation>))).toThrow(/operation 2 \(store\)/);
  });
});

/** Sixteen bytes of paint of an arena offset. */
function judgePaint(offset: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const word of [0, 1]) {
    const number = (0x0400_0000n + BigInt(offset + word * 8)) >> 3n;
    view.setBigUint64(word * 8, 0xa500_0000_0000_005an | (number << 8n), true);
  }
  return bytes;
}
