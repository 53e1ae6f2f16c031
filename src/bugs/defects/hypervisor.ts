import type { Defect } from '../defect.js';

const VM = 'src/hypervisor/vm.ts';
const TABLES = 'src/hypervisor/tables.ts';
const CONTEXTS = 'src/hypervisor/contexts.ts';
const FUNCTIONS = 'src/hypervisor/functions.ts';
const QUEUE = 'src/hypervisor/invalidation-queue.ts';

const ANY = ['39-2m', '48-1g', '57-1g', 'chaos'];

/** What these defects can be found by: the properties that run the hypervisor. */
const VMS = ['isolation', 'translation', 'delivery'];

const common = { area: 'assignment', shapes: ANY, properties: VMS } as const;

/** Defects of the order in which the hypervisor does things: each needs something else to happen in between. */
export const ORDER_DEFECTS: readonly Defect[] = [
  {
    ...common,
    id: 'invalidate-before-unmap',
    shipped: { row: 53, link: 'Xen XSA-408', what: 'the flush did not belong to the state that it was to flush' },
    plants: 'an unmapped page is invalidated before its entry is cleared, and not after',
    file: TABLES,
    anchor: '    yield* this.clearEntry(path.at(-1)!, indexOf(page, 1));\n',
    replacement:
      '    yield* this.invalidator.forget([this.leafOf(page)]); yield* this.clearEntry(path.at(-1)!, indexOf(page, 1)); if (path.at(-1)!.entries.size > 0) return;\n',
  },
  {
    ...common,
    id: 'reuse-before-completion',
    shipped: { row: 16, link: 'Xen XSA-247', what: 'a page was free for others while a guest could still reach it' },
    plants: 'the frame of an unmapped page is free before its invalidation is complete',
    file: VM,
    anchor: '    yield* this.tables.unmap(page);\n    this.pool.give(frame);',
    replacement: '    this.pool.give(frame);\n    yield* this.tables.unmap(page);',
  },
  {
    ...common,
    id: 'replaced-frame-reused-early',
    shipped: {
      row: 37,
      link: 'Xen XSA-366',
      what: 'an entry was replaced and the old page given away before the flush',
    },
    plants: 'the old frame of a remapped page is free before its invalidation is complete',
    file: VM,
    anchor: '    yield* this.tables.replace(page, frame);\n    this.pool.give(old);',
    replacement: '    this.pool.give(old);\n    yield* this.tables.replace(page, frame);',
  },
  {
    ...common,
    id: 'table-freed-before-flush',
    shipped: {
      row: 296,
      link: 'CVE-2025-71202 (iommu/sva)',
      what: 'page-table pages were freed and used again without a flush',
    },
    plants: 'tables that are empty are free before they are invalidated',
    file: TABLES,
    anchor: '    // A table that goes may be remembered',
    replacement:
      '    for (const { frame } of empty.splice(0)) { this.pool.give(frame); path.length = 0; }\n    // A table that goes may be remembered',
  },
  {
    ...common,
    id: 'frame-mapped-before-clean',
    shipped: {
      row: 59,
      link: 'Xen XSA-445',
      what: 'a page that one user had was shown to the next with what was in it',
    },
    plants: 'a frame is mapped first and cleaned then',
    file: VM,
    anchor: '      const frame = yield* this.cleanFrame();\n      yield* this.tables.map(page, frame);',
    replacement:
      '      const frame = this.pool.take();\n      yield* this.tables.map(page, frame);\n      yield* clear(frame);',
  },
  {
    ...common,
    id: 'table-linked-before-clean',
    shipped: {
      row: 295,
      link: 'CVE-2026-45862 (iommu/vt-d)',
      what: 'a table was linked before what it holds had been written',
    },
    plants: 'a new table is linked first and made empty then',
    file: TABLES,
    anchor: '    yield* clear(made.frame);\n    yield* this.store(table, index, made.frame);',
    replacement: '    yield* this.store(table, index, made.frame);\n    yield* clear(made.frame);',
  },
  {
    ...common,
    id: 'valid-before-fields',
    shipped: { row: 34, link: 'Xen XSA-347', what: 'a device entry was made valid before its fields were set' },
    plants: 'a context entry is made present before its upper half is stored',
    file: CONTEXTS,
    anchor:
      "    yield* issue({ op: 'store', address: address + 8n, words: [whole >> 64n] });\n    yield* issue({ op: 'store', address, words: [BigInt.asUintN(64, whole)] });",
    replacement:
      "    yield* issue({ op: 'store', address, words: [BigInt.asUintN(64, whole)] });\n    yield* issue({ op: 'store', address: address + 8n, words: [whole >> 64n] });",
  },
  {
    ...common,
    id: 'flush-before-leaving',
    shipped: { row: 58, link: 'Xen XSA-442', what: 'a device entry was changed without the flush that belongs to it' },
    plants: 'a function is taken out of its domain after the invalidation, and not before',
    file: CONTEXTS,
    anchor:
      "    yield* issue({ op: 'store', address: this.addressOf(routingId), words: [NOTHING] });\n    yield* this.invalidator.forget([\n      { what: 'context', domain, requester: routingId },\n      { what: 'domain', domain },\n    ]);",
    replacement:
      "    yield* this.invalidator.forget([\n      { what: 'context', domain, requester: routingId },\n      { what: 'domain', domain },\n    ]);\n    yield* issue({ op: 'store', address: this.addressOf(routingId), words: [NOTHING] });",
  },
  {
    ...common,
    id: 'attach-before-flush',
    shipped: { row: 43, link: 'Xen XSA-386', what: 'a device was given on while it was still in its old domain' },
    plants: 'a function is free for the next VM before it has left its domain',
    file: VM,
    anchor:
      '    yield* this.contexts.leave(assigned.requester.routingId, this.domain);\n    assigned.owner = undefined;\n    assigned.lock.release();',
    replacement:
      '    assigned.owner = undefined;\n    assigned.lock.release();\n    yield* this.contexts.leave(assigned.requester.routingId, this.domain);',
  },
  {
    ...common,
    id: 'owner-checked-too-early',
    shipped: { row: 259, link: 'Jailhouse 8ae0bb23', what: 'who owns a device was not kept up to date while it ran' },
    plants: 'whether a function is free is looked at before its lock is taken, and not after',
    file: VM,
    anchor:
      '    yield* assigned.lock.acquire();\n    if (assigned.owner !== undefined) {\n      assigned.lock.release();',
    replacement:
      '    const taken = assigned.owner !== undefined;\n    yield { kind: "pause" };\n    yield* assigned.lock.acquire();\n    if (taken) {\n      assigned.lock.release();',
  },
  {
    ...common,
    id: 'tail-without-lock',
    shipped: { row: 38, link: 'Xen XSA-373', what: 'one wait was taken to be complete by the completion of another' },
    plants: 'two tasks may write the invalidation queue at once',
    file: QUEUE,
    anchor: '    yield* this.lock.acquire();\n    yield* waitUntil',
    replacement: '    yield* waitUntil',
  },
  {
    ...common,
    id: 'forwarded-to-the-old-vcpu',
    shipped: { row: 268, link: 'FreeBSD D24593', what: 'interrupts went on to the old CPU and vector after a change' },
    plants: 'a route is changed without waiting for handlers that go by the old one',
    file: FUNCTIONS,
    anchor: '    this.route = route;\n    yield* this.synchronize();\n    if',
    replacement: '    this.route = route;\n    if',
  },
  {
    ...common,
    id: 'detached-with-handler-under-way',
    shipped: { row: 290, link: 'Linux 5474e6e17a26', what: 'a device was taken away while work for it was under way' },
    plants: 'a function is taken away without waiting for its interrupt handler',
    file: FUNCTIONS,
    anchor: "    yield* this.synchronize();\n    yield* waitUntil('the handler', () => !this.handling);\n",
    replacement: '',
  },
  {
    ...common,
    id: 'unmasked-after-looking',
    shipped: { row: 239, link: 'cloud-hypervisor PR 795', what: 'an event that came around an unmask was lost' },
    plants: 'whether an event was kept is looked at before the route is unmasked, and not after',
    file: FUNCTIONS,
    anchor: '    this.route = route;\n    yield* this.synchronize();\n    if (!route.masked && this.kept) {',
    replacement:
      '    const kept = this.kept;\n    yield* pause();\n    this.route = route;\n    yield* this.synchronize();\n    if (!route.masked && kept) {',
  },
  {
    ...common,
    id: 'request-cleared-after-handling',
    shipped: { row: 35, link: 'Xen XSA-356', what: 'interrupts of the host were served in an order that loses one' },
    plants: 'the host forgets a request that came while it handled the one before',
    file: FUNCTIONS,
    anchor: '      this.requested = false;\n      yield* this.forward();\n      yield* pause();\n',
    replacement: '      yield* this.forward();\n      yield* pause();\n      this.requested = false;\n',
  },
];
