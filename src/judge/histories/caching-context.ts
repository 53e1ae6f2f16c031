import { reads, refused, refusedWith } from './device.js';
import {
  contextDescriptor,
  iotlbDescriptor,
  put,
  queued,
  queuedUnseen,
  queueOn,
  statusWords,
  submit,
  tell,
  wait,
} from './queue-words.js';
import {
  all,
  attach,
  bus,
  type ContextScope,
  context,
  contextAsked,
  detach,
  empty,
  entry,
  flush,
  iotlb,
  latchRoot,
  settle,
  shows,
  tables,
  to,
  translation,
  write,
} from './software.js';
import {
  CONTEXTS,
  CONTEXTS_B,
  FUNCTIONS,
  frame,
  NEW,
  NEXT,
  OLD,
  OTHER,
  PML4,
  PML4_8,
  PT,
  PT_8,
  ROOT_B,
} from './world.js';
import { CONFORMANT, deviant, type Expected, type HandWritten, type Line } from './writer.js';

/** What root and context entries may be remembered as, and what the order of invalidations is worth. */
const STALE = deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-GCMD-', 'VTD-SS-', 'VTD-CTX-', 'VTD-ROOT-');

const warm = [tables, reads('A', 0, OLD)] as const;
const moveA = attach('A', { did: 8, table: PML4_8 });
const A: number = FUNCTIONS.A;

const moved: readonly HandWritten[] = [
  {
    name: 'moved-nothing-asked',
    says: ['A is moved from domain 7 to domain 8 without invalidation.', 'It still uses domain 7, then domain 8.'],
    rows: ['N1', 'N2', 'VTD-CACHE-003'],
    expect: CONFORMANT,
    lines: [...warm, moveA, reads('A', 0, OLD), reads('A', 0, OTHER)],
  },
  {
    name: 'moved-context-then-iotlb',
    says: ['A is moved to domain 8; its context, then domain 7 are invalidated, seen complete.', 'It uses domain 7.'],
    rows: ['7.3', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, moveA, context({ did: 7, sid: A }), iotlb({ did: 7 }), reads('A', 0, OLD)],
  },
  {
    name: 'moved-context-then-iotlb-new',
    says: ['A is moved to domain 8; its context, then domain 7 are invalidated, seen complete.', 'It uses domain 8.'],
    rows: ['7.3', 'VTD-CACHE-013'],
    expect: CONFORMANT,
    lines: [...warm, moveA, context({ did: 7, sid: A }), iotlb({ did: 7 }), reads('A', 0, OTHER)],
  },
  {
    name: 'moved-iotlb-then-context',
    says: ['A is moved to domain 8; domain 7, and after that its context are invalidated.', 'It uses domain 7.'],
    rows: ['7.3', '7.9', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, moveA, iotlb({ did: 7 }), context({ did: 7, sid: A }), reads('A', 0, OLD)],
  },
  {
    name: 'moved-context-only',
    says: [
      'A is moved to domain 8; only its context is invalidated, seen complete.',
      'Page 0 is still that of domain 7.',
    ],
    rows: ['7.3', '7.6', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, moveA, context({ did: 7, sid: A }), reads('A', 0, OLD)],
  },
  {
    name: 'moved-iotlb-only',
    says: ['A is moved to domain 8; only domain 7 is invalidated, seen complete.', 'It still uses domain 7.'],
    rows: ['7.3', '7.6', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, moveA, iotlb({ did: 7 }), reads('A', 0, OLD)],
  },
  {
    name: 'moved-fresh-page-read',
    says: [
      'A is moved to domain 8 and its context invalidated, seen complete; then a page is mapped in domain 7.',
      'A reads that page.',
    ],
    rows: ['7.1', '7.6', 'VTD-CACHE-009', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, moveA, context({ did: 7, sid: A }), entry(PT, 2, to(NEW)), reads('A', 2, NEW)],
  },
  {
    name: 'moved-fresh-page-refused',
    says: [
      'A is moved to domain 8 and its context invalidated, seen complete; then a page is mapped in domain 7.',
      'A is refused that page.',
    ],
    rows: ['VTD-CACHE-013'],
    expect: CONFORMANT,
    lines: [...warm, moveA, context({ did: 7, sid: A }), entry(PT, 2, to(NEW)), ...refusedWith('A', 'read', 2, 6)],
  },
  {
    name: 'moved-fresh-page-while-remembered',
    says: [
      'A is moved to domain 8 without invalidation; then a page is mapped in domain 7.',
      'A reads that page: its old context may be remembered.',
    ],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [...warm, moveA, entry(PT, 2, to(NEW)), reads('A', 2, NEW)],
  },
  {
    name: 'moved-and-back',
    says: ['A is moved from domain 7 to 8 and back without invalidation.', 'It uses domain 8.'],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [...warm, moveA, attach('A', { did: 7, table: PML4 }), reads('A', 0, OTHER)],
  },
  {
    name: 'moved-and-back-invalidated',
    says: [
      'A is moved to domain 8 and back; its context of domain 8 and domain 8 are invalidated.',
      'It uses domain 8.',
    ],
    rows: ['7.3', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [
      ...warm,
      moveA,
      attach('A', { did: 7, table: PML4 }),
      context({ did: 8, sid: A }),
      iotlb({ did: 8 }),
      reads('A', 0, OTHER),
    ],
  },
  {
    name: 'moved-and-back-other-context',
    says: [
      'A is moved to domain 8 and back; its context of domain 7 and domain 8 are invalidated.',
      'It uses domain 8.',
    ],
    rows: ['7.5', 'N1'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      moveA,
      attach('A', { did: 7, table: PML4 }),
      context({ did: 7, sid: A }),
      iotlb({ did: 8 }),
      reads('A', 0, OTHER),
    ],
  },
];

const cleared: readonly HandWritten[] = [
  {
    name: 'detached-context-only',
    says: ["A's context entry is cleared and invalidated, seen complete; the IOTLB is not.", 'The page is read still.'],
    rows: ['7.3', '7.6', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, detach('A'), context({ did: 7, sid: A }), reads('A', 0, OLD)],
  },
  {
    name: 'detached-context-and-iotlb',
    says: ["A's context entry is cleared; its context, then its domain are invalidated.", 'The page is read still.'],
    rows: ['7.3', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, detach('A'), context({ did: 7, sid: A }), iotlb({ did: 7 }), reads('A', 0, OLD)],
  },
  {
    name: 'detached-refused',
    says: ["A's context entry is cleared; its context, then its domain are invalidated.", 'It is refused with 2h.'],
    rows: ['7.3', 'VTD-CACHE-013', 'VTD-CTX-002'],
    expect: CONFORMANT,
    lines: [...warm, detach('A'), context({ did: 7, sid: A }), iotlb({ did: 7 }), ...refusedWith('A', 'read', 0, 2)],
  },
  {
    name: 'attached-refused',
    says: ['CM=0: B is refused with 2h, then attached without invalidation.', 'It is refused still.'],
    rows: ['N5', '7.2', 'VTD-CACHE-001'],
    expect: deviant('VTD-CACHE-', 'VTD-CTX-', 'VTD-SS-'),
    lines: [tables, refused('B', 'read', 0), attach('B', { did: 8, table: PML4_8 }), refused('B', 'read', 0)],
  },
  {
    name: 'attached-caching-mode-refused',
    says: ['CM=1: B is attached without invalidation.', 'It is refused with 2h.'],
    rows: ['N6', 'VTD-CACHE-002'],
    expect: CONFORMANT,
    cap: { CM: 1 },
    lines: [tables, attach('B', { did: 8, table: PML4_8 }), ...refusedWith('B', 'read', 0, 2)],
  },
  {
    name: 'attached-caching-mode-flushed-refused',
    says: ['CM=1: B is attached, and everything is invalidated, seen complete.', 'It is refused still.'],
    rows: ['N6', 'VTD-CACHE-013'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-CTX-', 'VTD-SS-'),
    cap: { CM: 1 },
    lines: [tables, refused('B', 'read', 0), attach('B', { did: 8, table: PML4_8 }), flush, refused('B', 'read', 0)],
  },
  {
    name: 'context-corrected-refused',
    says: ['CM=0: a context entry with a reserved bit refuses with Bh, and is corrected.', 'It refuses still.'],
    rows: ['7.2', 'VTD-CACHE-005'],
    expect: deviant('VTD-CACHE-', 'VTD-CTX-', 'VTD-SS-'),
    lines: [
      tables,
      attach('B', { did: 8, table: PML4_8, reserved: 1n }),
      refused('B', 'read', 0),
      attach('B', { did: 8, table: PML4_8 }),
      refused('B', 'read', 0),
    ],
  },
  {
    name: 'root-made-present-refused',
    says: ['CM=0: a root entry that was not present refuses with 1h, and is written.', 'The request is refused still.'],
    rows: ['N5', 'VTD-CACHE-001'],
    expect: deviant('VTD-CACHE-', 'VTD-ROOT-', 'VTD-SS-'),
    lines: [
      tables,
      empty(ROOT_B),
      latchRoot(ROOT_B),
      flush,
      refused('A', 'read', 0),
      bus(CONTEXTS, ROOT_B),
      refused('A', 'read', 0),
    ],
  },
];

/** A context is cleared; one context invalidation and a global IOTLB invalidation are seen; the page is read still. */
const contextAfter = (name: string, scope: ContextScope, what: string, expect: Expected): HandWritten => ({
  name,
  says: [
    `A's context entry is cleared; the context cache is invalidated for ${what}, then the IOTLB globally.`,
    'The page is read still.',
  ],
  rows: ['7.5', '7.6', expect === CONFORMANT ? 'N1' : 'VTD-CACHE-013', 'VTD-INV-011'],
  expect,
  lines: [...warm, detach('A'), context(scope), iotlb('global'), reads('A', 0, OLD)],
});

const contextScopes: readonly HandWritten[] = [
  contextAfter('context-global', 'global', 'everything', STALE),
  contextAfter('context-domain', { did: 7 }, 'its domain', STALE),
  contextAfter('context-other-domain', { did: 8 }, 'another domain', CONFORMANT),
  contextAfter('context-device', { did: 7, sid: FUNCTIONS.A }, 'the function', STALE),
  contextAfter('context-other-device', { did: 7, sid: FUNCTIONS.B }, 'another function', CONFORMANT),
  contextAfter('context-device-other-did', { did: 8, sid: FUNCTIONS.A }, 'the function in domain 8', CONFORMANT),
  contextAfter('context-mask-1', { did: 7, sid: FUNCTIONS.E, fm: 1 }, 'functions 0 and 4 (FM=1)', STALE),
  contextAfter('context-mask-0', { did: 7, sid: FUNCTIONS.E, fm: 0 }, 'function 4 (FM=0)', CONFORMANT),
  contextAfter('context-mask-2', { did: 7, sid: FUNCTIONS.G, fm: 2 }, 'functions 0, 2, 4, 6 (FM=2)', STALE),
  contextAfter('context-mask-2-beside', { did: 7, sid: FUNCTIONS.H, fm: 2 }, 'functions 1, 3, 5, 7 (FM=2)', CONFORMANT),
  contextAfter('context-mask-3', { did: 7, sid: FUNCTIONS.H, fm: 3 }, 'all eight functions (FM=3)', STALE),
  contextAfter('context-mask-3-beside', { did: 7, sid: FUNCTIONS.X, fm: 3 }, 'the next device (FM=3)', CONFORMANT),
  {
    name: 'context-unseen',
    says: [
      "A's context entry is cleared; a context invalidation is asked for and not looked at.",
      'The page is read still.',
    ],
    rows: ['N1', 'N27'],
    expect: CONFORMANT,
    lines: [...warm, detach('A'), contextAsked('global'), reads('A', 0, OLD)],
  },
];

/** Another context table for the bus, in which A is in domain 8. */
const otherContexts: readonly Line[] = [
  empty(CONTEXTS_B),
  attach('A', { did: 8, table: PML4_8, contexts: CONTEXTS_B }),
];
const newRoot: readonly Line[] = [...otherContexts, empty(ROOT_B), bus(CONTEXTS_B, ROOT_B)];

const roots: readonly HandWritten[] = [
  {
    name: 'root-entry-device',
    says: [
      'The root entry is moved to another context table; the function and then the IOTLB are invalidated.',
      'The old context is used: only a global invalidation covers the root entry.',
    ],
    rows: ['7.3', 'N1'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      ...otherContexts,
      bus(CONTEXTS_B),
      context({ did: 7, sid: A }),
      iotlb('global'),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'root-entry-global',
    says: [
      'The root entry is moved to another context table; context cache and IOTLB are invalidated globally.',
      'The old context is used.',
    ],
    rows: ['7.3', 'VTD-CACHE-013', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [...warm, ...otherContexts, bus(CONTEXTS_B), flush, reads('A', 0, OLD)],
  },
  {
    name: 'set-root-old',
    says: ['ESRTPS=0: another root table is latched, nothing is invalidated.', 'The old tables are used.'],
    rows: ['N52', 'VTD-GCMD-010'],
    expect: CONFORMANT,
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), reads('A', 0, OLD)],
  },
  {
    name: 'set-root-new',
    says: ['ESRTPS=0: another root table is latched, nothing is invalidated.', 'The new tables are used.'],
    rows: ['N52', 'VTD-GCMD-010'],
    expect: CONFORMANT,
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), reads('A', 0, OTHER)],
  },
  {
    name: 'set-root-iotlb-only',
    says: ['ESRTPS=0: another root table is latched and only the IOTLB invalidated.', 'The old context is used.'],
    rows: ['N52', 'VTD-GCMD-010', '7.3'],
    expect: CONFORMANT,
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), iotlb('global'), reads('A', 0, OLD)],
  },
  {
    name: 'set-root-flushed-old',
    says: ['ESRTPS=0: another root table is latched and everything invalidated, seen.', 'The old tables are used.'],
    rows: ['7.3', 'VTD-GCMD-010', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), flush, reads('A', 0, OLD)],
  },
  {
    name: 'set-root-implicit-flush-old',
    says: ['ESRTPS=1: another root table is latched, which is seen.', 'The old tables are used.'],
    rows: ['7.8', 'VTD-GCMD-009'],
    expect: STALE,
    cap: { ESRTPS: 1 },
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), reads('A', 0, OLD)],
  },
  {
    name: 'set-root-implicit-flush-new',
    says: ['ESRTPS=1: another root table is latched, which is seen.', 'The new tables are used.'],
    rows: ['7.8', 'VTD-GCMD-009'],
    expect: CONFORMANT,
    cap: { ESRTPS: 1 },
    lines: [...warm, ...newRoot, latchRoot(ROOT_B), reads('A', 0, OTHER)],
  },
  {
    name: 'root-written-not-latched',
    says: ['RTADDR is written, but the root table is never latched.', 'The table in RTADDR is used.'],
    rows: ['VTD-GCMD-003'],
    expect: deviant('VTD-GCMD-003', 'VTD-SS-024', 'VTD-CACHE-'),
    lines: [...warm, ...newRoot, write('RTADDR', frame(ROOT_B), 8), reads('A', 0, OTHER)],
  },
];

/** Translation is turned off, a leaf is changed, the same root is latched again, translation is turned on. */
const offAndOn: readonly Line[] = [
  ...warm,
  translation(false),
  entry(PT, 0, to(NEW)),
  latchRoot(0, false),
  translation(true),
];

const switches: readonly HandWritten[] = [
  {
    name: 'off-and-on-old',
    says: ['SMTS=0: translation is turned off, a leaf changed, translation turned on.', 'The old frame is used.'],
    rows: ['7.8', 'N52', 'VTD-GCMD-010'],
    expect: CONFORMANT,
    lines: [...offAndOn, reads('A', 0, OLD)],
  },
  {
    name: 'off-and-on-flushed-old',
    says: [
      'Translation is turned off, a leaf changed, translation turned on, all invalidated.',
      'The old frame is used.',
    ],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [...offAndOn, flush, reads('A', 0, OLD)],
  },
  {
    name: 'off-and-on-implicit-flush-old',
    says: ['ESRTPS=1: translation is off, a leaf changes, the root is latched again.', 'The old frame is used.'],
    rows: ['7.8', 'VTD-GCMD-009'],
    expect: STALE,
    cap: { ESRTPS: 1 },
    lines: [...offAndOn, reads('A', 0, OLD)],
  },
  {
    name: 'off-passes',
    says: ['Translation is turned off, which is seen.', 'A request goes to the address that it names.'],
    rows: ['VTD-GCMD-015'],
    expect: CONFORMANT,
    lines: [...warm, translation(false), reads('A', 0x4000 + NEXT, NEXT)],
  },
  {
    name: 'off-translates',
    says: ['Translation is turned off, which is seen.', 'A request still gets the page that the tables name.'],
    rows: ['VTD-GCMD-015'],
    expect: deviant('VTD-GCMD-015'),
    lines: [...warm, translation(false), reads('A', 0, OLD)],
  },
];

const cc = contextDescriptor({ did: 7, sid: FUNCTIONS.A });
const domain7 = iotlbDescriptor({ did: 7 });

const order: readonly HandWritten[] = [
  {
    name: 'queued-in-order',
    says: ['A is moved; context, then domain are invalidated by the queue, and the wait is seen.', 'It uses domain 7.'],
    rows: ['7.9', 'VTD-QI-016', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, queueOn, moveA, queued(cc, domain7), reads('A', 0, OLD)],
  },
  {
    name: 'queued-in-order-new',
    says: ['A is moved; context, then domain are invalidated by the queue, and the wait is seen.', 'It uses domain 8.'],
    rows: ['7.9', 'VTD-QI-016', 'VTD-CACHE-013'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, moveA, queued(cc, domain7), reads('A', 0, OTHER)],
  },
  {
    name: 'queued-out-of-order',
    says: ['A is moved; domain, then context are invalidated by the queue, and the wait is seen.', 'It uses domain 7.'],
    rows: ['7.9', 'N30'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, moveA, queued(domain7, cc), reads('A', 0, OLD)],
  },
  {
    name: 'queued-unseen',
    says: [
      'A is moved; context and domain are invalidated by the queue; nobody looks at the wait.',
      'It uses domain 7.',
    ],
    rows: ['N1', 'N31'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, moveA, queuedUnseen(cc, domain7), reads('A', 0, OLD)],
  },
  {
    name: 'queued-head-seen',
    says: [
      'A is moved; context and domain are invalidated by the queue; only the head is looked at.',
      'It uses domain 7.',
    ],
    rows: ['N31', 'VTD-WAIT-010'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, moveA, queuedUnseen(cc, domain7), shows('IQH', 0x30n, 8), reads('A', 0, OLD)],
  },
  {
    name: 'queued-interrupt-seen',
    says: ['A is moved; context and domain are invalidated; IWC of the wait behind them is seen.', 'It uses domain 7.'],
    rows: ['7.9', 'VTD-WAIT-002', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [
      ...warm,
      queueOn,
      moveA,
      submit(cc, domain7, wait({ interrupt: true })),
      shows('ICS', 1n),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'queued-settled',
    says: ['A is moved; context and domain are invalidated by the queue, which comes to rest.', 'It uses domain 7.'],
    rows: ['7.9', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [...warm, queueOn, moveA, queuedUnseen(cc, domain7), settle, statusWords([7]), reads('A', 0, OLD)],
  },
  {
    name: 'wait-behind-wait',
    says: [
      'Domain 7 is invalidated, then come two waits without fence; only the second is seen.',
      'A uses the old page.',
    ],
    rows: ['7.9', 'N30', 'VTD-WAIT-006'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      queueOn,
      entry(PT, 0, to(NEW)),
      submit(domain7, wait({ data: 5 }), wait({ data: 7, word: 2 })),
      statusWords([0, 0, 7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'wait-behind-fence',
    says: [
      'Domain 7 is invalidated, then come a wait with FN=1 and another; only the other is seen.',
      'The old is used.',
    ],
    rows: ['7.9', 'VTD-WAIT-005', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [
      ...warm,
      queueOn,
      entry(PT, 0, to(NEW)),
      submit(domain7, wait({ fence: true }), wait({ data: 7 })),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'invalidation-behind-wait',
    says: ['A wait is queued first and domain 7 behind it; the wait is seen.', 'A uses the old page.'],
    rows: ['7.9', 'N1'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      queueOn,
      entry(PT, 0, to(NEW)),
      submit(wait({ data: 7 }), domain7),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'context-before-earlier-wait',
    says: ['A is moved; context, a silent wait, domain, a wait; only the last wait is seen.', 'A uses domain 7.'],
    rows: ['7.9', 'VTD-QI-016', 'VTD-CACHE-013'],
    expect: STALE,
    lines: [
      ...warm,
      queueOn,
      moveA,
      submit(cc, wait({}), domain7, wait({ data: 7 })),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'put-before-the-change',
    says: [
      'Descriptors are written, then the leaf is changed, then the tail is written and the wait seen.',
      'The old page is used.',
    ],
    rows: ['7.9', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [
      ...warm,
      queueOn,
      put(domain7, wait({ data: 7 })),
      entry(PT, 0, to(NEW)),
      all(tell(), statusWords([7])),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'told-before-the-change',
    says: ['The tail is written, then the leaf is changed, then the wait is seen.', 'The old page is used.'],
    rows: ['7.9', 'N1'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      queueOn,
      submit(domain7, wait({ data: 7 })),
      entry(PT, 0, to(NEW)),
      statusWords([7]),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'frame-reused-leaks',
    says: [
      'A page of A is unmapped, invalidated by the queue and seen; the frame is given to B.',
      'A still reads the frame.',
    ],
    rows: ['7.6', 'VTD-CACHE-004', 'VTD-INV-003'],
    expect: STALE,
    lines: [
      ...warm,
      queueOn,
      entry(PT, 0, 0n),
      queued(iotlbDescriptor({ did: 7, page: 0 })),
      attach('B', { did: 8, table: PML4_8 }),
      entry(PT_8, 1, to(OLD)),
      reads('B', 1, OLD),
      reads('A', 0, OLD),
    ],
  },
];

/** Root and context entries, SRTP, TE, and the order of invalidations. */
export const cachingContext: readonly HandWritten[] = [
  ...moved,
  ...cleared,
  ...contextScopes,
  ...roots,
  ...switches,
  ...order,
];
