import { reads, status } from './device.js';
import {
  contextDescriptor,
  type Descriptor,
  hears,
  iotlbDescriptor,
  put,
  queueOn,
  settleHears,
  statusWords,
  submit,
  tell,
  wait,
  writeHears,
} from './queue-words.js';
import {
  all,
  entry,
  queueSwitched,
  queueWithoutTranslation,
  settle,
  shows,
  store,
  tables,
  to,
  translation,
  write,
} from './software.js';
import { frame, NEW, OLD, PT, QUEUE, STATUS } from './world.js';
import { CONFORMANT, deviant, type HandWritten, type Line } from './writer.js';

/** The invalidation queue: waits, errors, head and tail, the completion event. */

const everything = [contextDescriptor('global'), iotlbDescriptor('global')] as const;
const done = wait({ data: 7 });
const QUEUE_ERROR = status({ queueError: true });
const head = (slot: number): Line => shows('IQH', BigInt(slot) * 16n, 8);
const errorCode = (code: bigint): Line => shows('IQERCD', code, 8);

const waits: readonly HandWritten[] = [
  {
    name: 'wait-status',
    says: ['Two invalidations and a wait with SW=1 are handed over.', 'The status word appears.'],
    rows: ['7.9', 'VTD-WAIT-001'],
    expect: CONFORMANT,
    lines: [queueOn, submit(...everything, done), statusWords([7]), head(3)],
  },
  {
    name: 'wait-status-late',
    says: ['A wait with SW=1 is handed over.', 'The status word is not there at first, and there after rest.'],
    rows: ['7.9', 'N30', 'VTD-WAIT-001'],
    expect: CONFORMANT,
    lines: [queueOn, submit(...everything, done), statusWords([0]), settle, statusWords([7])],
  },
  {
    name: 'wait-status-missing',
    says: ['A wait with SW=1 is handed over, and everything comes to rest.', 'The status word never appears.'],
    rows: ['7.9', 'VTD-WAIT-001'],
    expect: deviant('VTD-WAIT-001'),
    lines: [queueOn, submit(...everything, done), settle, statusWords([0])],
  },
  {
    name: 'wait-status-other',
    says: ['A wait with SW=1 and data 7 is handed over.', 'The status word reads 8.'],
    rows: ['7.5', 'VTD-WAIT-001'],
    expect: deviant('VTD-WAIT-001', 'PLAT-MEM-001'),
    lines: [queueOn, submit(done), settle, statusWords([8])],
  },
  {
    name: 'wait-status-wide',
    says: ['A wait with SW=1 is handed over.', 'The word behind the status word changes as well.'],
    rows: ['7.9', 'VTD-WAIT-001'],
    expect: deviant('VTD-WAIT-001', 'PLAT-MEM-001'),
    lines: [queueOn, submit(done), settle, statusWords([7, 7])],
  },
  {
    name: 'wait-status-without-flag',
    says: ['A wait with SW=0 is handed over.', 'A status word appears.'],
    rows: ['7.5', 'VTD-WAIT-007'],
    expect: deviant('VTD-WAIT-', 'PLAT-MEM-001'),
    lines: [queueOn, submit([5n | (7n << 32n), frame(STATUS)]), settle, statusWords([7])],
  },
  {
    name: 'wait-overtakes',
    says: ['Two waits without fence are handed over.', 'The second is complete before the first.'],
    rows: ['7.9', 'N30', 'VTD-WAIT-006'],
    expect: CONFORMANT,
    lines: [
      queueOn,
      submit(wait({ data: 5 }), wait({ data: 7, word: 1 })),
      statusWords([0, 7]),
      settle,
      statusWords([5, 7]),
    ],
  },
  {
    name: 'wait-overtakes-fence',
    says: ['A wait with FN=1 and another wait are handed over.', 'The second is complete before the first.'],
    rows: ['7.9', 'VTD-WAIT-005'],
    expect: deviant('VTD-WAIT-005', 'VTD-WAIT-001'),
    lines: [queueOn, submit(wait({ data: 5, fence: true }), wait({ data: 7, word: 1 })), statusWords([0, 7])],
  },
  {
    name: 'wait-interrupt',
    says: ['A wait with IF=1 is handed over.', 'IWC and IP read 1.'],
    rows: ['7.9', 'VTD-WAIT-002'],
    expect: CONFORMANT,
    lines: [queueOn, submit(wait({ interrupt: true })), settle, shows('ICS', 1n), shows('IECTL', 0xc000_0000n)],
  },
  {
    name: 'wait-interrupt-missing',
    says: ['A wait with IF=1 is handed over, and everything comes to rest.', 'IWC reads 0.'],
    rows: ['7.9', 'VTD-WAIT-002'],
    expect: deviant('VTD-WAIT-002'),
    lines: [queueOn, submit(wait({ interrupt: true })), settle, shows('ICS', 0n)],
  },
  {
    name: 'wait-interrupt-without-flag',
    says: ['A wait with IF=0 is handed over.', 'IWC reads 1.'],
    rows: ['7.9', 'VTD-WAIT-002'],
    // A register that reads wrong may be named by the rule of its field.
    expect: deviant('VTD-WAIT-', 'VTD-REG-009'),
    lines: [queueOn, submit(done), settle, shows('ICS', 1n)],
  },
  {
    name: 'interrupt-status-cleared',
    says: ['A wait with IF=1 is complete; IWC is cleared by writing 1.', 'IWC and IP read 0.'],
    rows: ['7.9', 'VTD-REG-009', 'VTD-WAIT-004'],
    expect: CONFORMANT,
    lines: [
      queueOn,
      submit(wait({ interrupt: true })),
      settle,
      shows('ICS', 1n),
      write('ICS', 1n),
      shows('ICS', 0n),
      shows('IECTL', 0x8000_0000n),
    ],
  },
  {
    name: 'status-before-invalidation',
    says: ['A leaf is changed; an invalidation and a wait are handed over, and the wait is seen.', 'The old is used.'],
    rows: ['7.9', 'VTD-WAIT-001', 'VTD-CACHE-004'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-', 'VTD-WAIT-001'),
    lines: [
      tables,
      reads('A', 0, OLD),
      queueOn,
      entry(PT, 0, to(NEW)),
      submit(...everything, done),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
];

/** A good invalidation, a bad descriptor and a wait; everything comes to rest, and IQE is seen with a code. */
const bad = (descriptor: Descriptor, code: bigint): readonly Line[] => [
  queueOn,
  submit(iotlbDescriptor('global'), descriptor, done),
  settle,
  QUEUE_ERROR,
  errorCode(code),
  head(1),
  statusWords([0]),
];

const badCase = (
  name: string,
  what: string,
  descriptor: Descriptor,
  code: bigint,
  expect: HandWritten['expect'],
  ...rows: readonly string[]
): HandWritten => ({
  name,
  says: [`The second of three descriptors ${what}.`, `The queue stops on it with IQE=1 and IQEI=${code}.`],
  rows: ['6.5', '1.6', ...rows],
  expect,
  lines: bad(descriptor, code),
});

const UNDEFINED: Descriptor = [0xdn, 0n];
const RESERVED_BIT: Descriptor = [0x12n | (1n << 40n), 0n];
const RESERVED_GRAIN: Descriptor = [0x02n, 0n];

const errors: readonly HandWritten[] = [
  badCase('undefined-type', 'has an undefined type', UNDEFINED, 3n, CONFORMANT, 'VTD-QI-004'),
  badCase('undefined-type-code', 'has an undefined type', UNDEFINED, 4n, deviant('VTD-QI-004'), 'VTD-QI-004'),
  badCase('reserved-bit', 'has a reserved bit set', RESERVED_BIT, 4n, CONFORMANT, 'VTD-QI-005'),
  badCase('reserved-bit-code', 'has a reserved bit set', RESERVED_BIT, 3n, deviant('VTD-QI-005'), 'VTD-QI-005'),
  badCase('reserved-grain-3', 'has granularity 00b', RESERVED_GRAIN, 3n, CONFORMANT, 'N32', 'VTD-QI-006'),
  badCase('reserved-grain-4', 'has granularity 00b', RESERVED_GRAIN, 4n, CONFORMANT, 'N32', 'VTD-QI-006'),
  badCase('reserved-grain-5', 'has granularity 00b', RESERVED_GRAIN, 5n, deviant('VTD-QI-006'), 'N32', 'VTD-QI-006'),
  badCase('device-tlb', 'is for Device-TLBs, which do not exist', [3n, 0n], 3n, CONFORMANT, 'VTD-QI-014'),
  badCase('wide-type', 'has a type of 256 bits', [6n, 0n], 3n, CONFORMANT, 'VTD-QI-013'),
  badCase('drain-flag', 'is a wait with PD=1, and PDS=0', [0xa5n, frame(STATUS)], 4n, CONFORMANT, 'VTD-QI-018'),
  badCase('mask-refused', 'has AM above MAMV', [0x32n, 10n], 4n, CONFORMANT, 'N33'),
  {
    name: 'mask-performed-too-little',
    says: [
      'A leaf is changed; a descriptor with AM above MAMV is accepted and the wait behind it seen.',
      'The old frame is used: never less than asked if accepted.',
    ],
    rows: ['N33', '7.6'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-024'),
    lines: [
      tables,
      reads('A', 0, OLD),
      queueOn,
      entry(PT, 0, to(NEW)),
      submit([0x32n | (7n << 16n), 10n], done),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'bad-accepted',
    says: ['A descriptor of an undefined type is handed over.', 'The queue goes past it without an error.'],
    rows: ['6.5', 'VTD-QI-004'],
    expect: deviant('VTD-QI-004'),
    lines: [queueOn, submit(UNDEFINED, done), settle, status({}), statusWords([7]), head(2)],
  },
  {
    name: 'head-past-bad',
    says: ['A descriptor of an undefined type is handed over.', 'IQE is set, but the head has gone past it.'],
    rows: ['7.9', 'N31', 'VTD-QI-004'],
    expect: deviant('VTD-QI-004', 'VTD-QI-'),
    lines: [queueOn, submit(UNDEFINED, done), settle, QUEUE_ERROR, head(1)],
  },
  {
    name: 'good-refused',
    says: ['Only good descriptors are handed over.', 'IQE is set.'],
    rows: ['6.5'],
    expect: deviant('VTD-QI-', 'VTD-WAIT-'),
    lines: [queueOn, submit(...everything, done), settle, QUEUE_ERROR],
  },
  {
    name: 'tail-restarts',
    says: ['The queue has stopped on a bad descriptor; the tail is written again.', 'The head moves on.'],
    rows: ['6.5', 'VTD-QI-007'],
    expect: deviant('VTD-QI-007', 'VTD-QI-004', 'VTD-QI-'),
    lines: [...bad(UNDEFINED, 3n), submit(done), settle, head(2)],
  },
  {
    name: 'resumed',
    says: ['The bad descriptor is replaced and IQE is cleared.', 'The queue goes on from it to the end.'],
    rows: ['6.5', 'VTD-QI-008'],
    expect: CONFORMANT,
    lines: [
      ...bad(UNDEFINED, 3n),
      store(frame(QUEUE) + 16n, ...iotlbDescriptor('global')),
      write('FSTS', 0x10n),
      settle,
      status({}),
      head(3),
      statusWords([7]),
    ],
  },
  {
    name: 'not-resumed',
    says: ['The bad descriptor is replaced and IQE is cleared.', 'IQE is clear, but the queue stays where it is.'],
    rows: ['6.5', 'VTD-QI-008'],
    expect: deviant('VTD-QI-008'),
    lines: [
      ...bad(UNDEFINED, 3n),
      store(frame(QUEUE) + 16n, ...iotlbDescriptor('global')),
      write('FSTS', 0x10n),
      settle,
      status({}),
      head(1),
    ],
  },
  {
    name: 'stopped-again',
    says: ['IQE is cleared, and the bad descriptor is still there.', 'IQE is set again.'],
    rows: ['6.5', 'VTD-QI-008'],
    expect: CONFORMANT,
    lines: [...bad(UNDEFINED, 3n), write('FSTS', 0x10n), settle, QUEUE_ERROR, head(1)],
  },
];

const places: readonly HandWritten[] = [
  {
    name: 'tail-outside',
    says: ['The tail is written beyond the end of the queue.', 'IQE is set with IQEI 1, and the head stays at 0.'],
    rows: ['7.9', 'VTD-QI-009'],
    expect: CONFORMANT,
    lines: [queueOn, write('IQT', 0x1000n, 8), settle, QUEUE_ERROR, errorCode(1n), head(0)],
  },
  {
    name: 'tail-outside-accepted',
    says: ['The tail is written beyond the end of the queue.', 'No error is reported.'],
    rows: ['7.9', 'VTD-QI-009'],
    expect: deviant('VTD-QI-009'),
    lines: [queueOn, write('IQT', 0x1000n, 8), settle, status({})],
  },
  {
    name: 'wide-without-capability',
    says: ['IQA says 256-bit descriptors, which this unit does not have.', 'IQE is set with IQEI 5.'],
    rows: ['1.6', 'VTD-QI-011'],
    expect: CONFORMANT,
    lines: [
      write('IQA', frame(QUEUE) | 0x800n, 8),
      queueSwitched(true),
      write('IQT', 0x20n, 8),
      settle,
      QUEUE_ERROR,
      errorCode(5n),
    ],
  },
  {
    name: 'head-wraps',
    says: ['255 silent waits are done, then three more are put across the end of the queue.', 'The head is at slot 2.'],
    rows: ['7.9', 'VTD-QI-003'],
    expect: CONFORMANT,
    lines: [...wrapped(), head(2), statusWords([7])],
  },
  {
    name: 'head-does-not-wrap',
    says: [
      '255 silent waits are done, then three more are put across the end of the queue.',
      'The head is at slot 258.',
    ],
    rows: ['7.9', 'VTD-QI-003'],
    // The rule of the head says as much: it ends at the tail.
    expect: deviant('VTD-QI-003', 'VTD-QI-R03'),
    lines: [...wrapped(), head(258)],
  },
  {
    name: 'switched-off',
    says: ['Two descriptors are done; the queue is turned off.', 'The head reads 0.'],
    rows: ['7.9', 'VTD-GCMD-008'],
    expect: CONFORMANT,
    lines: [queueOn, submit(...everything, done), statusWords([7]), settle, queueSwitched(false), head(0)],
  },
  {
    name: 'switched-off-head-stays',
    says: ['Three descriptors are done; the queue is turned off.', 'The head still reads slot 3.'],
    rows: ['7.9', 'VTD-GCMD-008'],
    expect: deviant('VTD-GCMD-008'),
    lines: [queueOn, submit(...everything, done), statusWords([7]), settle, queueSwitched(false), head(3)],
  },
  {
    name: 'off-but-working',
    says: ['The queue is never turned on; a wait is written and the tail moved.', 'The status word appears.'],
    rows: ['7.9', 'VTD-QI-001'],
    expect: deviant('VTD-QI-001', 'PLAT-MEM-001'),
    lines: [store(frame(STATUS), 0n, 0n), write('IQA', frame(QUEUE), 8), put(done), tell(), settle, statusWords([7])],
  },
  {
    name: 'works-without-translation',
    says: ['Translation is off, the queue is on; a wait is handed over.', 'The status word appears.'],
    rows: ['7.9', 'VTD-QI-002'],
    expect: CONFORMANT,
    lines: [...withoutTranslation(), settle, statusWords([7])],
  },
  {
    name: 'rests-without-translation',
    says: ['Translation is off, the queue is on; a wait is handed over.', 'The status word never appears.'],
    rows: ['7.9', 'VTD-QI-002'],
    expect: deviant('VTD-QI-002', 'VTD-WAIT-001'),
    lines: [...withoutTranslation(), settle, statusWords([0])],
  },
];

const MESSAGE = { address: 0xfee0_2000n, data: 0x42n };
const programmed: readonly Line[] = [
  write('FEADDR', 0xfee0_1000n),
  write('FEDATA', 0x51n),
  write('IEADDR', 0xfee0_2000n),
  write('IEDATA', 0x42n),
];
const listening: readonly Line[] = [...programmed, write('IECTL', 0n), queueOn];
const masked: readonly Line[] = [...programmed, queueOn];
const ring = wait({ interrupt: true });
const both = wait({ data: 7, interrupt: true });

const events: readonly HandWritten[] = [
  {
    name: 'message-after-status',
    says: ['IM=0; a wait with SW=1 and IF=1 is handed over.', 'The status word is there, then the message comes.'],
    rows: ['7.9', 'VTD-WAIT-009'],
    expect: CONFORMANT,
    hears: true,
    lines: [...listening, submit(both), statusWords([7]), settleHears(MESSAGE)],
  },
  {
    name: 'message-before-status',
    says: ['IM=0; a wait with SW=1 and IF=1 is handed over, and the message comes.', 'The status word is not there.'],
    rows: ['7.9', 'VTD-WAIT-009'],
    expect: deviant('VTD-WAIT-009', 'VTD-WAIT-001'),
    hears: true,
    lines: [...listening, put(both), tell(MESSAGE), statusWords([0])],
  },
  {
    name: 'one-message-for-two',
    says: ['IM=0; two waits with IF=1 are handed over.', 'One message comes: IWC was set already for the second.'],
    rows: ['7.9', 'VTD-WAIT-003'],
    expect: CONFORMANT,
    hears: true,
    lines: [...listening, put(ring, ring), tell(MESSAGE), settleHears(), hears('ICS', 1n)],
  },
  {
    name: 'two-messages-for-two',
    says: ['IM=0; two waits with IF=1 are handed over; IWC is never cleared.', 'Two messages come.'],
    rows: ['7.9', 'VTD-WAIT-003'],
    expect: deviant('VTD-WAIT-003'),
    hears: true,
    lines: [...listening, put(ring, ring), tell(MESSAGE, MESSAGE), settleHears()],
  },
  {
    name: 'message-again-after-clearing',
    says: ['IM=0; a wait rings, IWC is cleared, another wait is handed over.', 'A second message comes.'],
    rows: ['7.9', 'VTD-WAIT-002'],
    expect: CONFORMANT,
    hears: true,
    lines: [
      ...listening,
      put(ring),
      tell(MESSAGE),
      settleHears(),
      writeHears('ICS', 1n),
      put(ring),
      tell(MESSAGE),
      hears('ICS', 1n),
    ],
  },
  {
    name: 'message-missing',
    says: ['IM=0; a wait with IF=1 is handed over, and everything comes to rest.', 'No message comes.'],
    rows: ['7.9', 'N23', 'VTD-WAIT-002'],
    expect: deviant('VTD-WAIT-002'),
    hears: true,
    lines: [...listening, submit(ring), settleHears(), hears('ICS', 1n)],
  },
  {
    name: 'message-held',
    says: ['IM=1; a wait with IF=1 is handed over, then IM is cleared.', 'The message comes then.'],
    rows: ['7.9', 'VTD-WAIT-004'],
    expect: CONFORMANT,
    hears: true,
    lines: [...masked, submit(ring), settleHears(), hears('IECTL', 0xc000_0000n), writeHears('IECTL', 0n, MESSAGE)],
  },
  {
    name: 'message-held-and-dropped',
    says: ['IM=1; a wait with IF=1 is done; IWC is cleared, then IM.', 'The message comes though its cause is gone.'],
    rows: ['7.9', 'VTD-WAIT-004'],
    expect: deviant('VTD-WAIT-'),
    hears: true,
    lines: [
      ...masked,
      submit(ring),
      settleHears(),
      hears('IECTL', 0xc000_0000n),
      writeHears('ICS', 1n),
      writeHears('IECTL', 0n, MESSAGE),
    ],
  },
  {
    name: 'error-rings-fault-event',
    says: ['The fault event is masked; a bad descriptor is handed over.', 'FECTL.IP reads 1.'],
    rows: ['6.3', 'VTD-FREC-019'],
    expect: CONFORMANT,
    hears: true,
    lines: [queueOn, submit(UNDEFINED), settleHears(), hears('FECTL', 0xc000_0000n)],
  },
  {
    name: 'error-does-not-ring',
    says: ['The fault event is masked; a bad descriptor is handed over and IQE is seen.', 'FECTL.IP reads 0.'],
    rows: ['6.3', 'VTD-FREC-019'],
    expect: deviant('VTD-FREC-'),
    hears: true,
    lines: [queueOn, submit(UNDEFINED), settleHears(), QUEUE_ERROR, hears('FECTL', 0x8000_0000n)],
  },
];

/** 255 silent waits, one after the other, then two more and a wait with status, of which the last lies in slot 1. */
function wrapped(): readonly Line[] {
  const silent = wait({});
  const many: Line = (writer) => {
    writer.add({ op: 'store', address: frame(QUEUE), words: silent, repeat: 255 });
    writer.queued = 255;
  };
  return [queueOn, many, tell(), settle, head(255), submit(silent, silent, done), settle];
}

/** Translation is turned off and the queue on; a wait is handed over. */
function withoutTranslation(): readonly Line[] {
  return [
    translation(false),
    all(store(frame(STATUS), 0n, 0n), write('IQA', frame(QUEUE), 8), queueWithoutTranslation),
    submit(done),
  ];
}

/** The invalidation queue. */
export const queueHistories: readonly HandWritten[] = [...waits, ...errors, ...places, ...events];
