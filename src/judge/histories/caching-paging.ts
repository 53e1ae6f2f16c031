import { reads, refused, refusedWith, writes } from './device.js';
import { contextDescriptor, iotlbDescriptor, queued, queueOn } from './queue-words.js';
import {
  attach,
  empty,
  entry,
  flush,
  type IotlbScope,
  iotlb,
  iotlbAsked,
  iotlbDone,
  NOTHING,
  SUPERPAGE,
  tables,
  to,
} from './software.js';
import { NEW, NEWER, NEXT, NOBODYS, OLD, OTHER, PD, PDPT, PML4, PML4_8, PT, SPARE_PT } from './world.js';
import { CONFORMANT, deviant, type Expected, type HandWritten, type Line } from './writer.js';

/** What paging entries may be remembered as. A use of something stale is named by a caching rule or by the walk. */
const STALE = deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-024');

const warm = [tables, reads('A', 0, OLD)] as const;
const changeLeaf = entry(PT, 0, to(NEW));
/** A second page table, filled before it is linked, that maps page 0 to NEW. */
const otherTable = [empty(SPARE_PT), entry(SPARE_PT, 0, to(NEW))] as const;
const changePde: readonly Line[] = [...otherTable, entry(PD, 0, to(SPARE_PT))];

/** A leaf is changed, one IOTLB invalidation is seen complete, and the old frame is still used. */
const leafAfter = (
  name: string,
  scope: IotlbScope,
  what: string,
  expect: Expected,
  ...rows: readonly string[]
): HandWritten => ({
  name,
  says: [`A leaf is changed and an IOTLB invalidation of ${what} is seen complete.`, 'The old frame is still used.'],
  rows,
  expect,
  lines: [...warm, changeLeaf, iotlb(scope), reads('A', 0, OLD)],
});

const changes: readonly HandWritten[] = [
  {
    name: 'leaf-changed-old-used',
    says: ['A leaf is changed without any invalidation.', 'The device still gets the old frame.'],
    rows: ['N1', 'VTD-CACHE-003'],
    expect: CONFORMANT,
    lines: [...warm, changeLeaf, reads('A', 0, OLD)],
  },
  {
    name: 'leaf-changed-new-used',
    says: ['A leaf is changed without any invalidation.', 'The device gets the new frame at once: entries may vanish.'],
    rows: ['N2', 'VTD-CACHE-003'],
    expect: CONFORMANT,
    lines: [...warm, changeLeaf, reads('A', 0, NEW), reads('A', 0, OLD)],
  },
  {
    name: 'leaf-changed-nobodys-used',
    says: ['A leaf is changed without any invalidation.', 'The device gets a frame that the leaf never named.'],
    rows: ['N1', 'VTD-CACHE-003', 'VTD-CACHE-009'],
    expect: deviant('VTD-CACHE-', 'VTD-SS-024'),
    lines: [...warm, changeLeaf, reads('A', 0, NOBODYS)],
  },
  {
    name: 'changed-and-changed-back',
    says: ['A leaf is changed and changed back without invalidation.', 'The value of the time between is used.'],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [...warm, changeLeaf, entry(PT, 0, to(OLD)), reads('A', 0, NEW)],
  },
  {
    name: 'changed-back-then-invalidated',
    says: [
      'A leaf is changed and changed back, then the IOTLB is invalidated globally and that is seen complete.',
      'The value of the time between is used.',
    ],
    rows: ['7.6', 'VTD-CACHE-004', 'VTD-INV-001'],
    expect: STALE,
    lines: [...warm, changeLeaf, entry(PT, 0, to(OLD)), iotlb('global'), reads('A', 0, NEW)],
  },
  {
    name: 'old-directory-new-leaf',
    says: [
      'A directory entry is moved to another table, then the leaf in the old table is changed; no invalidation.',
      'The device gets the new leaf through the old directory entry: a mixture.',
    ],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [...warm, ...changePde, entry(PT, 0, to(NEWER)), reads('A', 0, NEWER)],
  },
  {
    name: 'old-directory-after-invalidation',
    says: [
      'A directory entry is moved, then the leaf in the old table is changed; a global invalidation is seen complete.',
      'The device gets the new leaf through the old directory entry.',
    ],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [...warm, ...changePde, entry(PT, 0, to(NEWER)), iotlb('global'), reads('A', 0, NEWER)],
  },
  {
    name: 'directory-changed-global-old',
    says: [
      'A directory entry is moved to another table; a global IOTLB invalidation is seen complete.',
      'The old frame is still used.',
    ],
    rows: ['7.6', 'VTD-CACHE-004', 'VTD-INV-001'],
    expect: STALE,
    lines: [...warm, ...changePde, iotlb('global'), reads('A', 0, OLD)],
  },
  {
    name: 'directory-changed-global-new',
    says: [
      'A directory entry is moved to another table; a global IOTLB invalidation is seen complete.',
      'The new frame is used.',
    ],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: CONFORMANT,
    lines: [...warm, ...changePde, iotlb('global'), reads('A', 0, NEW)],
  },
  {
    name: 'upper-entry-changed-domain-old',
    says: [
      'The only top-level entry is cleared; an IOTLB invalidation of the domain is seen complete.',
      'The page that was below it is still read.',
    ],
    rows: ['7.6', 'VTD-INV-002'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-'),
    lines: [...warm, entry(PML4, 0, NOTHING), iotlb({ did: 7 }), reads('A', 0, OLD)],
  },
  {
    name: 'never-asked-for-and-prefetched',
    says: [
      'A page that nobody asked for is remapped without invalidation.',
      'The first request for it uses the old frame: hardware may have fetched it ahead.',
    ],
    rows: ['N3'],
    expect: CONFORMANT,
    lines: [tables, entry(PT, 1, to(NEW)), reads('A', 1, NEXT)],
  },
  {
    name: 'changed-after-submission-first',
    says: [
      'A leaf is changed, an invalidation is asked for, the leaf is changed again, the invalidation is seen complete.',
      'The value between submission and second change is used.',
    ],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      changeLeaf,
      iotlbAsked('global'),
      entry(PT, 0, to(NEWER)),
      iotlbDone('global'),
      reads('A', 0, NEW),
    ],
  },
  {
    name: 'changed-after-submission-oldest',
    says: [
      'A leaf is changed, an invalidation is asked for, the leaf is changed again, the invalidation is seen complete.',
      'The value before the first change is used.',
    ],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [
      ...warm,
      changeLeaf,
      iotlbAsked('global'),
      entry(PT, 0, to(NEWER)),
      iotlbDone('global'),
      reads('A', 0, OLD),
    ],
  },
];

const leafScopes: readonly HandWritten[] = [
  leafAfter('leaf-global', 'global', 'everything', STALE, '7.6', 'VTD-CACHE-004', 'VTD-INV-001'),
  leafAfter('leaf-domain', { did: 7 }, 'its domain', STALE, '7.6', 'VTD-INV-002'),
  leafAfter('leaf-other-domain', { did: 8 }, 'another domain', CONFORMANT, '7.6', 'N1'),
  leafAfter('leaf-page', { did: 7, page: 0 }, 'its page', STALE, '7.6', 'VTD-INV-003'),
  leafAfter('leaf-other-page', { did: 7, page: 1 }, 'the next page', CONFORMANT, '7.6', 'N1'),
  leafAfter('leaf-page-other-domain', { did: 8, page: 0 }, 'its page in another domain', CONFORMANT, '7.6', 'N1'),
  leafAfter('leaf-mask-covers', { did: 7, page: 1, am: 1 }, 'pages 0 and 1 (AM=1)', STALE, '7.6', 'VTD-INV-004'),
  leafAfter('leaf-mask-beside', { did: 7, page: 2, am: 1 }, 'pages 2 and 3 (AM=1)', CONFORMANT, '7.6', 'VTD-INV-004'),
  leafAfter('leaf-page-hint', { did: 7, page: 0, ih: true }, 'its page with IH=1', STALE, '7.5', 'VTD-CACHE-011'),
  {
    name: 'leaf-refused-command',
    says: [
      'A leaf is changed; an invalidation with AM above MAMV answers IAIG=0, so nothing was done.',
      'The old frame is still used.',
    ],
    rows: ['7.6', '7.7', 'N1'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      changeLeaf,
      iotlbAsked({ did: 7, page: 0, am: 10 }),
      iotlbDone({ did: 7, page: 0, am: 10 }, 0n),
      reads('A', 0, OLD),
    ],
  },
  {
    name: 'leaf-unseen',
    says: [
      'A leaf is changed and a global IOTLB invalidation is asked for, but nobody looks.',
      'The old frame is used.',
    ],
    rows: ['N1', 'N27'],
    expect: CONFORMANT,
    lines: [...warm, changeLeaf, iotlbAsked('global'), reads('A', 0, OLD)],
  },
  {
    name: 'leaf-seen-later',
    says: [
      'A leaf is changed and an invalidation is asked for; the old frame is used, then the completion is seen.',
      'After that the old frame is used again.',
    ],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [...warm, changeLeaf, iotlbAsked('global'), reads('A', 0, OLD), iotlbDone('global'), reads('A', 0, OLD)],
  },
  {
    name: 'narrow-domain-ids',
    says: [
      'Domain-ids have 8 bits; a leaf is changed and domain 107h is invalidated, whose upper bits are ignored.',
      'The old frame of domain 7 is still used.',
    ],
    rows: ['VTD-INV-018', 'VTD-INV-002'],
    expect: STALE,
    cap: { ND: 2 },
    lines: [...warm, changeLeaf, iotlb({ did: 0x107 }), reads('A', 0, OLD)],
  },
  {
    name: 'domain-written-after-invalidation',
    says: ['A leaf is changed and its page invalidated, seen complete.', 'A write lands in the old frame.'],
    rows: ['7.6', 'VTD-INV-003'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-024', 'PLAT-MEM-001'),
    lines: [tables, writes('A', 0, OLD), changeLeaf, iotlb({ did: 7, page: 0 }), writes('A', 0, OLD)],
  },
];

const hints: readonly HandWritten[] = [
  {
    name: 'directory-hint-old',
    says: [
      'A directory entry is moved; the page is invalidated with IH=1, seen complete.',
      'The old directory entry is still used: structure caches may be kept.',
    ],
    rows: ['7.5', '7.6', 'VTD-CACHE-011'],
    expect: CONFORMANT,
    lines: [...warm, ...changePde, iotlb({ did: 7, page: 0, ih: true }), reads('A', 0, OLD)],
  },
  {
    name: 'directory-no-hint-old',
    says: [
      'A directory entry is moved; the page is invalidated with IH=0, seen complete.',
      'The old directory entry is still used.',
    ],
    rows: ['7.5', '7.6', 'VTD-CACHE-011', 'VTD-INV-003'],
    expect: STALE,
    lines: [...warm, ...changePde, iotlb({ did: 7, page: 0 }), reads('A', 0, OLD)],
  },
  {
    name: 'directory-queued-hint-old',
    says: [
      'A directory entry is moved; a descriptor invalidates the page with IH=1, and the wait behind it is seen.',
      'The old directory entry is still used.',
    ],
    rows: ['7.5', '7.6', 'VTD-CACHE-011'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, ...changePde, queued(iotlbDescriptor({ did: 7, page: 0, ih: true })), reads('A', 0, OLD)],
  },
  {
    name: 'directory-queued-no-hint-old',
    says: [
      'A directory entry is moved; a descriptor invalidates the page with IH=0, and the wait behind it is seen.',
      'The old directory entry is still used.',
    ],
    rows: ['7.5', '7.6', 'VTD-CACHE-011'],
    expect: STALE,
    lines: [...warm, queueOn, ...changePde, queued(iotlbDescriptor({ did: 7, page: 0 })), reads('A', 0, OLD)],
  },
];

/** A superpage over the arena's frames, and the table that it is split into: pages 20 and 21 go elsewhere. */
const overSuperpage: readonly Line[] = [
  tables,
  entry(PD, 0, SUPERPAGE),
  flush,
  reads('A', OLD, OLD),
  empty(SPARE_PT),
  entry(SPARE_PT, OLD, to(NEW)),
  entry(SPARE_PT, NEXT, to(NEWER)),
  entry(PD, 0, to(SPARE_PT)),
];

const superpages: readonly HandWritten[] = [
  {
    name: 'split-without-invalidation',
    says: ['A superpage is split without invalidation.', 'One page comes from the table, the next from the superpage.'],
    rows: ['N7', 'VTD-CACHE-008'],
    expect: CONFORMANT,
    lines: [...overSuperpage, reads('A', OLD, NEW), reads('A', NEXT, NEXT)],
  },
  {
    name: 'split-one-page-rest-old',
    says: [
      'A superpage is split and one of its pages invalidated, seen complete.',
      'Another page still comes from the superpage: it may have been cached in pieces.',
    ],
    rows: ['7.2', 'N7', 'VTD-CACHE-008'],
    expect: CONFORMANT,
    lines: [...overSuperpage, iotlb({ did: 7, page: OLD }), reads('A', OLD, NEW), reads('A', NEXT, NEXT)],
  },
  {
    name: 'split-one-page-old',
    says: [
      'A superpage is split and one of its pages invalidated, seen complete.',
      'That very page still comes from the superpage.',
    ],
    rows: ['7.6', 'VTD-INV-005', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [...overSuperpage, iotlb({ did: 7, page: OLD }), reads('A', OLD, OLD)],
  },
  {
    name: 'split-whole-range',
    says: [
      'A superpage is split and 512 pages are invalidated (AM=9, at an address inside), seen complete.',
      'A page still comes from the superpage.',
    ],
    rows: ['7.6', 'VTD-INV-004', 'VTD-CACHE-007'],
    expect: STALE,
    lines: [...overSuperpage, iotlb({ did: 7, page: 5, am: 9 }), reads('A', NEXT, NEXT)],
  },
];

const newborn: readonly HandWritten[] = [
  {
    name: 'filled-before-linked',
    says: [
      'A table is filled, one of its words is changed, and only then is it linked where nothing was.',
      'The device gets what the word held before the link.',
    ],
    rows: ['7.2', 'VTD-CACHE-009'],
    expect: deviant('VTD-CACHE-', 'VTD-SS-024'),
    lines: [
      ...warm,
      empty(SPARE_PT),
      entry(SPARE_PT, 0, to(NEW)),
      entry(SPARE_PT, 0, to(NEWER)),
      entry(PD, 1, to(SPARE_PT)),
      reads('A', 512, NEW),
    ],
  },
  {
    name: 'filled-and-linked',
    says: [
      'A table is filled, one of its words is changed, and only then is it linked where nothing was.',
      'It works.',
    ],
    rows: ['N5', 'VTD-CACHE-001'],
    expect: CONFORMANT,
    lines: [
      ...warm,
      empty(SPARE_PT),
      entry(SPARE_PT, 0, to(NEW)),
      entry(SPARE_PT, 0, to(NEWER)),
      entry(PD, 1, to(SPARE_PT)),
      reads('A', 512, NEWER),
    ],
  },
  {
    name: 'made-present-refused',
    says: [
      'CM=0: a page that was not there, and was asked for, is mapped without invalidation.',
      'It is refused still.',
    ],
    rows: ['N5', '7.2', 'VTD-CACHE-001'],
    expect: deviant('VTD-CACHE-001', 'VTD-SS-'),
    lines: [tables, refused('A', 'read', 2), entry(PT, 2, to(NEW)), refused('A', 'read', 2)],
  },
  {
    name: 'made-present-used',
    says: ['CM=0: a page that was not there, and was asked for, is mapped without invalidation.', 'It is used.'],
    rows: ['N5', 'VTD-CACHE-001'],
    expect: CONFORMANT,
    lines: [tables, refused('A', 'read', 2), entry(PT, 2, to(NEW)), reads('A', 2, NEW)],
  },
  {
    name: 'table-made-present-refused',
    says: ['CM=0: a directory entry that was not there is written without invalidation.', 'The page below is refused.'],
    rows: ['N5', 'VTD-CACHE-001'],
    expect: deviant('VTD-CACHE-001', 'VTD-SS-'),
    lines: [tables, refused('A', 'read', 512), ...otherTable, entry(PD, 1, to(SPARE_PT)), refused('A', 'read', 512)],
  },
  {
    name: 'made-present-caching-mode',
    says: ['CM=1: a page that was not there is mapped without invalidation.', 'It is refused still, with reason 6h.'],
    rows: ['N6', 'VTD-CACHE-002'],
    expect: CONFORMANT,
    cap: { CM: 1 },
    lines: [tables, entry(PT, 2, to(NEW)), ...refusedWith('A', 'read', 2, 6)],
  },
  {
    name: 'made-present-caching-mode-invalidated',
    says: [
      'CM=1: a page that was not there is mapped; a global IOTLB invalidation is seen complete.',
      'It is refused still.',
    ],
    rows: ['N6', '7.6', 'VTD-CACHE-004'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-'),
    cap: { CM: 1 },
    lines: [tables, refused('A', 'read', 2), entry(PT, 2, to(NEW)), iotlb('global'), refused('A', 'read', 2)],
  },
  {
    name: 'corrected-refused',
    says: ['CM=0: a leaf with a reserved bit refuses a read with Ch, and is corrected.', 'It refuses with Ch still.'],
    rows: ['7.2', 'VTD-CACHE-005'],
    expect: deviant('VTD-CACHE-', 'VTD-SS-'),
    lines: [
      tables,
      entry(PT, 2, to(NEW) | (1n << 62n)),
      refused('A', 'read', 2),
      entry(PT, 2, to(NEW)),
      refused('A', 'read', 2),
    ],
  },
  {
    name: 'corrected-used',
    says: ['CM=0: a leaf with a reserved bit refuses a read with Ch, and is corrected.', 'It works.'],
    rows: ['7.2', 'VTD-CACHE-005'],
    expect: CONFORMANT,
    lines: [
      tables,
      entry(PT, 2, to(NEW) | (1n << 62n)),
      ...refusedWith('A', 'read', 2, 0xc),
      entry(PT, 2, to(NEW)),
      reads('A', 2, NEW),
    ],
  },
  {
    name: 'cleared-still-read',
    says: ['A leaf is cleared without invalidation.', 'The page is read still, then refused.'],
    rows: ['N1', 'N2'],
    expect: CONFORMANT,
    lines: [...warm, entry(PT, 0, NOTHING), reads('A', 0, OLD), ...refusedWith('A', 'read', 0, 6)],
  },
  {
    name: 'cleared-and-invalidated-still-read',
    says: ['A leaf is cleared and its page invalidated, seen complete.', 'The page is read still.'],
    rows: ['7.6', 'VTD-INV-003', 'VTD-CACHE-004'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-'),
    lines: [...warm, entry(PT, 0, NOTHING), iotlb({ did: 7, page: 0 }), reads('A', 0, OLD)],
  },
];

const rights: readonly HandWritten[] = [
  {
    name: 'made-writable-refused',
    says: ['A read-only page is read, then made writable without invalidation.', 'A write is refused with 5h.'],
    rows: ['7.3', 'N1', 'VTD-CACHE-003'],
    expect: CONFORMANT,
    lines: [
      tables,
      entry(PT, 0, to(OLD, 'r')),
      flush,
      reads('A', 0, OLD),
      entry(PT, 0, to(OLD)),
      ...refusedWith('A', 'write', 0, 5),
    ],
  },
  {
    name: 'made-writable-invalidated-refused',
    says: ['A read-only page is made writable and invalidated, seen complete.', 'A write is refused.'],
    rows: ['7.6', 'VTD-CACHE-004'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-'),
    lines: [
      tables,
      entry(PT, 0, to(OLD, 'r')),
      flush,
      reads('A', 0, OLD),
      entry(PT, 0, to(OLD)),
      iotlb({ did: 7, page: 0 }),
      refused('A', 'write', 0),
    ],
  },
  {
    name: 'made-read-only-written',
    says: ['A writable page is written, then made read-only without invalidation.', 'It is written again.'],
    rows: ['N1', 'VTD-CACHE-003'],
    expect: CONFORMANT,
    lines: [tables, writes('A', 0, OLD), entry(PT, 0, to(OLD, 'r')), writes('A', 0, OLD)],
  },
  {
    name: 'made-read-only-invalidated-written',
    says: ['A writable page is made read-only and invalidated, seen complete.', 'It is written again.'],
    rows: ['7.6', 'VTD-CACHE-004', 'VTD-INV-003'],
    expect: deviant('VTD-CACHE-', 'VTD-INV-', 'VTD-SS-'),
    lines: [tables, writes('A', 0, OLD), entry(PT, 0, to(OLD, 'r')), iotlb({ did: 7, page: 0 }), writes('A', 0, OLD)],
  },
  {
    name: 'warm-read-only-written',
    says: ['A read-only page was read before, so it may be cached.', 'A write to it goes through.'],
    rows: ['4.4', 'VTD-SS-005'],
    expect: deviant('VTD-SS-005'),
    lines: [tables, entry(PT, 0, to(OLD, 'r')), flush, reads('A', 0, OLD), writes('A', 0, OLD)],
  },
  {
    name: 'upper-made-writable-refused',
    says: [
      'A directory entry loses its write permission and gets it back, without invalidation.',
      'A write is refused with 5h: the entry of the time between may be remembered.',
    ],
    rows: ['N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [...warm, entry(PDPT, 0, to(PD, 'r')), entry(PDPT, 0, to(PD)), ...refusedWith('A', 'write', 0, 5)],
  },
];

const shared: readonly HandWritten[] = [
  {
    name: 'joined-domain-gets-old-directory',
    says: [
      'B is in domain 7; a directory entry is moved without invalidation; then C is attached to domain 7.',
      "C gets the old frame through B's old directory entry.",
    ],
    rows: ['7.1', 'N1', 'VTD-CACHE-009'],
    expect: CONFORMANT,
    lines: [
      tables,
      attach('B', { did: 7, table: PML4 }),
      reads('B', 0, OLD),
      ...changePde,
      attach('C', { did: 7, table: PML4 }),
      reads('C', 0, OLD),
    ],
  },
  {
    name: 'joined-domain-after-invalidation',
    says: [
      'B is in domain 7; a directory entry is moved and the domain invalidated, seen complete; then C is attached.',
      "C gets the old frame through B's old directory entry.",
    ],
    rows: ['7.6', 'VTD-INV-002', 'VTD-CACHE-004'],
    expect: STALE,
    lines: [
      tables,
      attach('B', { did: 7, table: PML4 }),
      reads('B', 0, OLD),
      ...changePde,
      iotlb({ did: 7 }),
      attach('C', { did: 7, table: PML4 }),
      reads('C', 0, OLD),
    ],
  },
  {
    name: 'shared-id-mixes',
    says: ['Against the rules, A and B use domain-id 7 with different tables.', "A gets B's page: they may mix."],
    rows: ['N53', '3.8'],
    expect: CONFORMANT,
    lines: [tables, attach('B', { did: 7, table: PML4_8 }), reads('B', 0, OTHER), reads('A', 0, OTHER)],
  },
  {
    name: 'shared-id-outside',
    says: ['Against the rules, A and B use domain-id 7 with different tables.', 'A gets a frame that neither maps.'],
    rows: ['N53', '3.8'],
    expect: deviant('VTD-CACHE-', 'VTD-SS-024'),
    lines: [tables, attach('B', { did: 7, table: PML4_8 }), reads('B', 0, OTHER), reads('A', 0, NOBODYS)],
  },
  {
    name: 'other-domain-never-mixes',
    says: ['A is in domain 7, B in domain 8; nothing changes.', "A gets B's page."],
    rows: ['7.1', 'VTD-SS-024'],
    expect: deviant('VTD-SS-024', 'VTD-CACHE-'),
    lines: [tables, attach('B', { did: 8, table: PML4_8 }), reads('B', 0, OTHER), reads('A', 0, OTHER)],
  },
];

const inQueue: readonly HandWritten[] = [
  {
    name: 'queued-page-seen-old',
    says: ['A leaf is changed; its page is invalidated by the queue and the wait is seen.', 'The old frame is used.'],
    rows: ['7.6', '7.9', 'VTD-INV-003'],
    expect: STALE,
    lines: [...warm, queueOn, changeLeaf, queued(iotlbDescriptor({ did: 7, page: 0 })), reads('A', 0, OLD)],
  },
  {
    name: 'queued-domain-seen-old',
    says: ['A leaf is changed; its domain is invalidated by the queue and the wait is seen.', 'The old frame is used.'],
    rows: ['7.6', '7.9', 'VTD-INV-002'],
    expect: STALE,
    lines: [...warm, queueOn, changeLeaf, queued(iotlbDescriptor({ did: 7 })), reads('A', 0, OLD)],
  },
  {
    name: 'queued-other-domain-seen-old',
    says: ['A leaf is changed; another domain is invalidated by the queue and seen.', 'The old frame is used.'],
    rows: ['7.6', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, changeLeaf, queued(iotlbDescriptor({ did: 8 })), reads('A', 0, OLD)],
  },
  {
    name: 'queued-context-only-seen-old',
    says: [
      'A leaf is changed; only the context cache is invalidated, by the queue, and seen.',
      'The old frame is used.',
    ],
    rows: ['7.6', 'N1'],
    expect: CONFORMANT,
    lines: [...warm, queueOn, changeLeaf, queued(contextDescriptor('global')), reads('A', 0, OLD)],
  },
];

/** Paging entries: changes, each granularity of IOTLB invalidation, superpages, rights, shared domains. */
export const cachingPaging: readonly HandWritten[] = [
  ...changes,
  ...leafScopes,
  ...hints,
  ...superpages,
  ...newborn,
  ...rights,
  ...shared,
  ...inQueue,
];
