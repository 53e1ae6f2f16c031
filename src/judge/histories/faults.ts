import {
  clearRecord,
  noRecord,
  reads,
  record,
  refused,
  refusedWith,
  status,
  statusOf,
  untouched,
  writes,
} from './device.js';
import { hears, settleHears, writeHears } from './queue-words.js';
import { attach, detach, entry, flush, latchRoot, shows, tables, to, translation, write } from './software.js';
import { OLD, PML4, PML4_8, PT, ROOT } from './world.js';
import { CONFORMANT, deviant, type HandWritten, type Line } from './writer.js';

/** Fault records, their index, overflow, clearing, FPD, and the fault event. */

/** Page 3 of domain 7 is read-only, page 2 is not there; B and C are in domain 7 too. */
const world: Line = (writer) => {
  const lines = [
    tables,
    entry(PT, 3, to(OLD, 'r')),
    attach('B', { did: 7, table: PML4 }),
    attach('C', { did: 7, table: PML4 }),
    flush,
  ];
  for (const line of lines) line(writer);
};
const readOnly = { who: 'A', access: 'write', page: 3, reason: 5 } as const;
const missing = { who: 'A', access: 'read', page: 2, reason: 6 } as const;

const contents: readonly HandWritten[] = [
  {
    name: 'record-good',
    says: ['A writes to a read-only page.', 'It is refused; record 0 says 5h, write, A, page 3, and FRI is 0.'],
    rows: ['5.4', '6.2', 'VTD-FREC-001', 'VTD-SS-005'],
    expect: CONFORMANT,
    lines: [world, ...refusedWith('A', 'write', 3, 5), untouched(OLD)],
  },
  {
    name: 'record-missing',
    says: ['A writes to a read-only page and is refused.', 'No fault is reported.'],
    rows: ['6.2', 'VTD-SS-005', 'VTD-FREC-001'],
    expect: deviant('VTD-SS-005', 'VTD-FREC-'),
    lines: [world, refused('A', 'write', 3), status({}), noRecord(0)],
  },
  {
    name: 'record-reason',
    says: ['A writes to a read-only page and is refused.', 'The record says 6h, which is about reads.'],
    rows: ['5.4', 'VTD-SS-005'],
    expect: deviant('VTD-SS-005'),
    lines: [world, refused('A', 'write', 3), status({ first: 0 }), record(0, { ...readOnly, reason: 6 })],
  },
  {
    name: 'record-requester',
    says: ['A writes to a read-only page and is refused.', 'The record names B.'],
    rows: ['5.2', 'VTD-FREC-001'],
    expect: deviant('VTD-FREC-', 'VTD-FLT-', 'VTD-SS-005'),
    lines: [world, refused('A', 'write', 3), status({ first: 0 }), record(0, { ...readOnly, who: 'B' })],
  },
  {
    name: 'record-address',
    says: ['A writes to a read-only page and is refused.', 'The record names the next page.'],
    rows: ['5.2', 'VTD-FREC-001'],
    expect: deviant('VTD-FREC-', 'VTD-FLT-', 'VTD-SS-005'),
    lines: [world, refused('A', 'write', 3), status({ first: 0 }), record(0, { ...readOnly, page: 4 })],
  },
  {
    name: 'record-low-bits',
    says: ['A reads a page that is not there, at offset 0.', 'The record shows bits in FI below bit 12.'],
    rows: ['5.2', 'VTD-FREC-004'],
    expect: deviant('VTD-FREC-004'),
    lines: [world, refused('A', 'read', 2), status({ first: 0 }), record(0, { ...missing, low: 0x10n })],
  },
  {
    name: 'record-direction',
    says: ['A reads a page that is not there and is refused.', 'The record says that it was a write.'],
    rows: ['5.2', 'VTD-FREC-002'],
    expect: deviant('VTD-FREC-002'),
    lines: [world, refused('A', 'read', 2), status({ first: 0 }), record(0, { ...missing, access: 'write' })],
  },
  {
    name: 'record-twice',
    says: ['A reads a page that is not there, once.', 'Two records show the fault.'],
    rows: ['VTD-FLT-003'],
    // A register that reads wrong may be named by the rule of its field.
    expect: deviant('VTD-FLT-003', 'VTD-FREC-', 'VTD-REG-011'),
    lines: [world, refused('A', 'read', 2), status({ first: 0 }), record(0, missing), record(1, missing)],
  },
  {
    name: 'record-though-through',
    says: ['A reads a page that is mapped, and gets it.', 'A fault is reported all the same.'],
    rows: ['6.2', 'VTD-SS-024'],
    expect: deviant('VTD-SS-', 'VTD-FREC-', 'VTD-FLT-'),
    lines: [world, reads('A', 0, OLD), status({ first: 0 }), record(0, { ...missing, page: 0 })],
  },
  {
    name: 'through-though-recorded',
    says: ['A writes to a read-only page; the fault is recorded.', 'The bytes are in the page all the same.'],
    rows: ['VTD-FLT-001', 'VTD-SS-005'],
    expect: deviant('VTD-FLT-001', 'VTD-SS-005', 'PLAT-'),
    lines: [world, writes('A', 3, OLD), status({ first: 0 }), record(0, readOnly)],
  },
  {
    name: 'context-missing',
    says: ['X has a context entry that is not present.', 'Its request is refused with 2h.'],
    rows: ['5.4', 'VTD-CTX-002'],
    expect: CONFORMANT,
    lines: [world, ...refusedWith('X', 'read', 0, 2)],
  },
];

const logging: readonly HandWritten[] = [
  {
    name: 'second-fault-next-index',
    says: ['A and B fault, one after the other.', 'Records 0 and 1 show it, and FRI stays 0.'],
    rows: ['6.2', 'VTD-FREC-006', 'VTD-FREC-007'],
    expect: CONFORMANT,
    lines: [
      world,
      refused('A', 'read', 2),
      refused('B', 'read', 2),
      status({ first: 0 }),
      record(0, missing),
      record(1, { ...missing, who: 'B' }),
    ],
  },
  {
    name: 'second-fault-moves-fri',
    says: ['A and B fault, one after the other.', 'FRI moves to 1, though record 0 is the one that set PPF.'],
    rows: ['6.1', 'VTD-FREC-006'],
    expect: deviant('VTD-FREC-006'),
    lines: [world, refused('A', 'read', 2), refused('B', 'read', 2), status({ first: 1 })],
  },
  {
    name: 'second-fault-skips-index',
    says: ['A and B fault, one after the other.', "B's fault is in record 2."],
    rows: ['6.1', 'VTD-FREC-007'],
    expect: deviant('VTD-FREC-', 'VTD-SS-', 'VTD-FLT-'),
    lines: [
      world,
      refused('A', 'read', 2),
      refused('B', 'read', 2),
      record(0, missing),
      noRecord(1),
      record(2, { ...missing, who: 'B' }),
    ],
  },
  {
    name: 'same-requester-collapsed',
    says: ['A faults twice.', 'Only one record shows it: the second may be dropped while the first is pending.'],
    rows: ['6.2', 'N18', 'VTD-FREC-011'],
    expect: CONFORMANT,
    lines: [world, refused('A', 'read', 2), refused('A', 'write', 3), record(0, missing), noRecord(1)],
  },
  {
    name: 'same-requester-recorded',
    says: ['A faults twice.', 'Two records show it.'],
    rows: ['6.2', 'N18', 'VTD-FREC-007'],
    expect: CONFORMANT,
    lines: [world, refused('A', 'read', 2), refused('A', 'write', 3), record(0, missing), record(1, readOnly)],
  },
  {
    name: 'other-requester-collapsed',
    says: ['A and B fault.', "B's fault is dropped, though no record of B is pending."],
    rows: ['6.2', 'N18', 'VTD-FREC-011'],
    expect: deviant('VTD-FREC-', 'VTD-SS-'),
    lines: [world, refused('A', 'read', 2), refused('B', 'read', 2), record(0, missing), noRecord(1)],
  },
  {
    name: 'collapse-after-clearing',
    says: ['A faults, the record is cleared, A faults again.', 'The second fault is dropped.'],
    rows: ['6.2', 'N18', 'VTD-FREC-010'],
    expect: deviant('VTD-FREC-', 'VTD-SS-'),
    lines: [world, ...refusedWith('A', 'read', 2, 6), clearRecord(0), refused('A', 'read', 2), status({}), noRecord(1)],
  },
  {
    name: 'overflow-set',
    says: ['There are two records; A, B and C fault.', 'PFO is set, and the records are those of A and B.'],
    rows: ['6.2', 'VTD-FREC-008'],
    expect: CONFORMANT,
    cap: { NFR: 1 },
    lines: [
      world,
      refused('A', 'read', 2),
      refused('B', 'read', 2),
      refused('C', 'read', 2),
      status({ first: 0, overflow: true }),
      record(0, missing),
      record(1, { ...missing, who: 'B' }),
    ],
  },
  {
    name: 'overflow-not-set',
    says: ['There are two records; A, B and C fault.', 'PFO stays clear.'],
    rows: ['6.2', 'VTD-FREC-008'],
    // The same is seen of a unit that loses C's fault before it is logged.
    expect: deviant('VTD-FREC-008', 'VTD-SS-007'),
    cap: { NFR: 1 },
    lines: [world, refused('A', 'read', 2), refused('B', 'read', 2), refused('C', 'read', 2), status({ first: 0 })],
  },
  {
    name: 'overflow-overwrites',
    says: ['There are two records; A, B and C fault.', "C's fault takes the place of A's."],
    rows: ['6.2', 'VTD-FREC-008', '5.2'],
    expect: deviant('VTD-FREC-', 'VTD-FLT-', 'VTD-SS-'),
    cap: { NFR: 1 },
    lines: [
      world,
      refused('A', 'read', 2),
      refused('B', 'read', 2),
      refused('C', 'read', 2),
      status({ first: 0, overflow: true }),
      record(0, { ...missing, who: 'C' }),
    ],
  },
  {
    name: 'overflow-holds-back',
    says: ['PFO is set; both records are cleared, PFO is not; A faults.', 'Nothing is recorded.'],
    rows: ['6.2', 'VTD-FREC-009'],
    expect: CONFORMANT,
    cap: { NFR: 1 },
    lines: [...overflowed(), clearRecord(0), clearRecord(1), refused('A', 'read', 2), status({ overflow: true })],
  },
  {
    name: 'overflow-does-not-hold-back',
    says: ['PFO is set; both records are cleared, PFO is not; A faults.', 'The fault is recorded.'],
    rows: ['6.2', 'VTD-FREC-009'],
    expect: deviant('VTD-FREC-009', 'VTD-FREC-005'),
    cap: { NFR: 1 },
    lines: [
      ...overflowed(),
      clearRecord(0),
      clearRecord(1),
      refused('A', 'read', 2),
      status({ first: 0, overflow: true }),
    ],
  },
  {
    name: 'overflow-cleared-first',
    says: ['PFO is cleared while both records are pending; X faults.', 'PFO is set again: its index is busy.'],
    rows: ['6.2'],
    expect: CONFORMANT,
    cap: { NFR: 1 },
    lines: [...overflowed(), write('FSTS', 1n), status({ first: 0 }), refused('X', 'read', 2), overflowStatus()],
  },
  {
    name: 'recovery-continues',
    says: ['Records 0 and 1 are used and cleared; A faults again.', 'Record 2 shows it, and FRI is 2.'],
    rows: ['6.2', 'VTD-FREC-010'],
    expect: CONFORMANT,
    lines: [...twoCleared(), refused('A', 'read', 2), status({ first: 2 }), record(2, missing)],
  },
  {
    name: 'recovery-starts-over',
    says: ['Records 0 and 1 are used and cleared; A faults again.', 'Record 0 shows it, and FRI is 0.'],
    rows: ['6.2', 'VTD-FREC-010', 'VTD-FREC-007'],
    expect: deviant('VTD-FREC-'),
    lines: [...twoCleared(), refused('A', 'read', 2), status({ first: 0 }), record(0, missing)],
  },
  {
    name: 'one-of-two-cleared',
    says: ['A and B fault; record 0 is cleared.', 'PPF stays 1 and FRI stays 0.'],
    rows: ['6.2', 'VTD-FREC-005', 'VTD-FREC-006'],
    expect: CONFORMANT,
    lines: [world, refused('A', 'read', 2), refused('B', 'read', 2), clearRecord(0), status({ first: 0 })],
  },
  {
    name: 'one-of-two-cleared-all-gone',
    says: ['A and B fault; record 0 is cleared.', 'PPF reads 0 though record 1 is pending.'],
    rows: ['6.1', 'VTD-FREC-005'],
    expect: deviant('VTD-FREC-005', 'VTD-SS-'),
    lines: [world, refused('A', 'read', 2), refused('B', 'read', 2), clearRecord(0), status({})],
  },
  {
    name: 'clear-does-nothing',
    says: ['A faults; the record is cleared.', 'F still reads 1.'],
    rows: ['5.2', 'VTD-REG-011'],
    expect: deviant('VTD-REG-011', 'VTD-FREC-'),
    lines: [world, refused('A', 'read', 2), record(0, missing), clearRecord(0), record(0, missing)],
  },
  {
    name: 'index-reset',
    says: ['A faults and the record is cleared; translation is turned off and on; A faults.', 'Record 0 shows it.'],
    rows: ['6.1', 'VTD-FREC-012'],
    expect: CONFORMANT,
    lines: [...offAndOn(), refused('A', 'read', 2), status({ first: 0 }), record(0, missing)],
  },
  {
    name: 'index-not-reset',
    says: ['A faults and the record is cleared; translation is turned off and on; A faults.', 'Record 1 shows it.'],
    rows: ['6.1', 'VTD-FREC-012'],
    expect: deviant('VTD-FREC-'),
    lines: [...offAndOn(), refused('A', 'read', 2), status({ first: 1 }), record(1, missing)],
  },
];

const disabled: readonly HandWritten[] = [
  {
    name: 'silenced-good',
    says: ["X's context entry has FPD=1; X reads a page that is not there.", 'It is refused and nothing is recorded.'],
    rows: ['3.9', 'VTD-FLT-004'],
    expect: CONFORMANT,
    lines: [world, attach('X', { did: 8, table: PML4_8, fpd: true }), refused('X', 'read', 2), status({}), noRecord(0)],
  },
  {
    name: 'silenced-recorded',
    says: ["X's context entry has FPD=1; X reads a page that is not there.", 'The fault is recorded.'],
    rows: ['3.9', 'VTD-FLT-004'],
    expect: deviant('VTD-FLT-004'),
    lines: [world, attach('X', { did: 8, table: PML4_8, fpd: true }), ...refusedWith('X', 'read', 2, 6)],
  },
  {
    name: 'silenced-though-not-present',
    says: ["X's context entry has P=0 and FPD=1.", 'X is refused and nothing is recorded.'],
    rows: ['3.9', 'VTD-FLT-004'],
    expect: CONFORMANT,
    lines: [world, detach('X', { fpd: true }), refused('X', 'read', 2), status({}), noRecord(0)],
  },
  {
    name: 'silenced-though-not-present-recorded',
    says: ["X's context entry has P=0 and FPD=1.", 'The fault 2h is recorded.'],
    rows: ['3.9', 'VTD-FLT-004'],
    expect: deviant('VTD-FLT-004'),
    lines: [world, detach('X', { fpd: true }), ...refusedWith('X', 'read', 2, 2)],
  },
];

const MESSAGE = { address: 0xfee0_1000n, data: 0x41n };
const IM = 0x8000_0000n;
const IP = 0x4000_0000n;
/** The event's message is programmed; the mask is clear. */
const masked: readonly Line[] = [
  world,
  write('FEADDR', 0xfee0_1000n),
  write('FEDATA', 0x41n),
  write('IEADDR', 0xfee0_2000n),
  write('IEDATA', 0x51n),
];
const listening: readonly Line[] = [...masked, write('FECTL', 0n)];

const events: readonly HandWritten[] = [
  {
    name: 'event-once',
    says: ['IM=0; A and B fault.', 'One message comes with the first fault.'],
    rows: ['6.3', 'VTD-FREC-013', 'VTD-FREC-014'],
    expect: CONFORMANT,
    hears: true,
    lines: [
      ...listening,
      refused('A', 'read', 2, MESSAGE),
      refused('B', 'read', 2),
      settleHears(),
      status({ first: 0 }),
    ],
  },
  {
    name: 'event-missing',
    says: ['IM=0; A faults.', 'No message comes, not even when FSTS is read.'],
    rows: ['6.3', 'N23', 'VTD-FREC-013'],
    expect: deviant('VTD-FREC-013'),
    hears: true,
    lines: [...listening, refused('A', 'read', 2), status({ first: 0 })],
  },
  {
    name: 'event-late',
    says: ['IM=0; A faults.', 'The message comes only when FSTS is read.'],
    rows: ['6.3', 'N23'],
    expect: CONFORMANT,
    hears: true,
    lines: [...listening, refused('A', 'read', 2), status({ first: 0 }, MESSAGE)],
  },
  {
    name: 'event-twice',
    says: ['IM=0; A and B fault.', 'A message comes with each fault, though the first was pending.'],
    rows: ['6.3', 'VTD-FREC-014'],
    expect: deviant('VTD-FREC-014'),
    hears: true,
    lines: [...listening, refused('A', 'read', 2, MESSAGE), refused('B', 'read', 2, MESSAGE), settleHears()],
  },
  {
    name: 'event-other-vector',
    says: ['IM=0; A faults.', 'The message carries another vector than FEDATA.'],
    rows: ['6.4', 'VTD-FREC-013'],
    expect: deviant('VTD-FREC-', 'PLAT-'),
    hears: true,
    lines: [...listening, refused('A', 'read', 2, { ...MESSAGE, data: 0x42n }), status({ first: 0 })],
  },
  {
    name: 'event-masked',
    says: ['IM=1; A faults, then IM is cleared.', 'IP reads 1; the message comes when IM is cleared, and IP falls.'],
    rows: ['6.3', 'VTD-FREC-015'],
    expect: CONFORMANT,
    hears: true,
    lines: [
      ...masked,
      refused('A', 'read', 2),
      hears('FECTL', IM | IP),
      writeHears('FECTL', 0n, MESSAGE),
      hears('FECTL', 0n),
    ],
  },
  {
    name: 'event-masked-lost',
    says: ['IM=1; A faults, then IM is cleared.', 'No message comes.'],
    rows: ['6.3', 'VTD-FREC-015'],
    expect: deviant('VTD-FREC-015', 'VTD-FREC-013'),
    hears: true,
    lines: [...masked, refused('A', 'read', 2), status({ first: 0 }), writeHears('FECTL', 0n), hears('FECTL', 0n)],
  },
  {
    name: 'event-masked-sent',
    says: ['IM=1; A faults.', 'The message comes all the same.'],
    rows: ['6.3', 'VTD-FREC-013'],
    expect: deviant('VTD-FREC-'),
    hears: true,
    lines: [...masked, refused('A', 'read', 2, MESSAGE), settleHears()],
  },
  {
    name: 'event-dropped',
    says: ['IM=1; A faults; the record is cleared, then IM.', 'IP has fallen, and no message comes.'],
    rows: ['6.3', 'VTD-FREC-016'],
    expect: CONFORMANT,
    hears: true,
    lines: [
      ...masked,
      refused('A', 'read', 2),
      clearRecord(0),
      hears('FECTL', IM),
      writeHears('FECTL', 0n),
      settleHears(),
    ],
  },
  {
    name: 'event-not-dropped',
    says: ['IM=1; A faults; the record is cleared.', 'IP still reads 1, though nothing is pending.'],
    rows: ['6.3', 'VTD-FREC-016'],
    expect: deviant('VTD-FREC-016'),
    hears: true,
    lines: [...masked, refused('A', 'read', 2), clearRecord(0), shows('FECTL', IM | IP)],
  },
];

/** Two records, three faults: PFO is set. */
function overflowed(): readonly Line[] {
  return [world, refused('A', 'read', 2), refused('B', 'read', 2), refused('C', 'read', 2), overflowStatus()];
}

function overflowStatus(): Line {
  return shows('FSTS', statusOf({ first: 0, overflow: true }));
}

/** A and B fault, and both records are cleared. */
function twoCleared(): readonly Line[] {
  return [
    world,
    refused('A', 'read', 2),
    refused('B', 'read', 2),
    record(0, missing),
    record(1, { ...missing, who: 'B' }),
    clearRecord(0),
    clearRecord(1),
    status({}),
  ];
}

/** A faults, the record is cleared; translation goes off and, with the same root latched and all flushed, on again. */
function offAndOn(): readonly Line[] {
  return [
    world,
    ...refusedWith('A', 'read', 2, 6),
    clearRecord(0),
    translation(false),
    latchRoot(ROOT, false),
    translation(true),
    flush,
  ];
}

/** Faults, their records, and the fault event. */
export const faultHistories: readonly HandWritten[] = [...contents, ...logging, ...disabled, ...events];
