import { describe, expect, it } from 'vitest';
import { clearRecord, clearStatus, logFault, raiseQueueError, setInterruptMask } from './recording.js';
import { type FaultState, recordOf } from './state.js';

/** Fault recording by itself, with three records. Facts 6.2, 6.3. */

const message = { address: 0xfee0_0000n, data: 1n };
const empty: FaultState = {
  records: [null, null, null],
  overflow: false,
  index: 0,
  fresh: true,
  first: 0,
  interruptMask: true,
  interruptPending: false,
  queueError: false,
  owed: [],
};
const faultOf = (sourceId: number): Parameters<typeof logFault>[1] =>
  recordOf({ sourceId, address: 0n, reasons: [1], access: 'read', clauses: {} });
/** The state in which every fault was recorded that could be. */
const recorded = (faults: FaultState, ...sources: readonly number[]): FaultState =>
  sources.reduce((state, sourceId) => logFault(state, faultOf(sourceId), message).at(-1)!, faults);
const clear = (faults: FaultState, ...indexes: readonly number[]): FaultState =>
  indexes.reduce((state, index) => clearRecord(state, index)[0]!, faults);
const pending = (faults: FaultState): readonly boolean[] => faults.records.map((record) => record !== null);
const NO_OVERFLOW = { overflow: true, queueError: false };

describe('several records', () => {
  const full = recorded(empty, 1, 2, 3);

  it('fill in order, and FRI stays at the first', () => {
    expect(full).toMatchObject({ index: 0, first: 0, overflow: false });
    expect(full.records.map((record) => record?.sourceId)).toEqual([1, 2, 3]);
  });

  it('overflow without an event, and nothing is recorded until PFO is cleared', () => {
    const over = recorded(full, 4);
    expect(over).toMatchObject({ overflow: true, index: 0 });
    expect(recorded(clear(over, 0), 5).records[0]).toBeNull();
  });

  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]]])(
    'may be cleared in the order %j, and the next fault uses the current index',
    (order) => {
      const recovered = clearStatus(clear(recorded(full, 4), ...order), NO_OVERFLOW)[0]!;
      expect(recovered).toMatchObject({ overflow: false, interruptPending: false, index: 0 });
      const half = clear(recorded(empty, 1, 2), 0, 1);
      const next = recorded(half, 3);
      expect([pending(next), next.first, next.index]).toEqual([[false, false, true], 2, 0]);
    },
  );

  it('overflow again when PFO is cleared first', () => {
    const cleared = clearStatus(recorded(full, 4), NO_OVERFLOW)[0]!;
    expect(recorded(cleared, 5)).toMatchObject({ overflow: true });
  });

  it('keep FRI while some are pending, and go round', () => {
    const kept = clear(full, 0);
    expect(recorded(kept, 6)).toMatchObject({ first: 0, index: 1, records: [{ sourceId: 6 }, {}, {}] });
    expect(recorded(clear(full, 0, 1, 2), 6)).toMatchObject({ first: 0, index: 1 });
  });

  it('may drop a second fault of the same source', () => {
    expect(logFault(recorded(empty, 1), faultOf(1), message).map(pending)).toEqual([
      [true, false, false],
      [true, true, false],
    ]);
  });
});

describe('the event', () => {
  it('is raised only when nothing else is pending', () => {
    const open = { ...empty, interruptMask: false };
    expect(recorded(open, 1).owed).toEqual([message]);
    expect(recorded(open, 1, 2).owed).toEqual([message]);
    expect(raiseQueueError(recorded(open, 1), message).owed).toEqual([message]);
    expect(recorded(raiseQueueError(open, message), 1).owed).toEqual([message]);
    const over = clear(recorded(open, 1, 2, 3, 4), 0, 1, 2);
    expect(raiseQueueError(over, message).owed).toEqual([message]);
  });

  it('is held by IM, falls with its conditions, and may catch a late message', () => {
    const held = recorded(empty, 1);
    expect(setInterruptMask(held, false, message)).toMatchObject([{ interruptPending: false, owed: [message] }]);
    expect(clearRecord(held, 0)).toMatchObject([{ interruptPending: false, owed: [] }]);
    const late = recorded({ ...empty, interruptMask: false }, 1);
    expect(setInterruptMask(late, true, message).map((each) => each.interruptPending)).toEqual([false, true]);
    expect(clearRecord(late, 0).map((each) => each.owed.length)).toEqual([1, 0]);
  });
});
