import type { Defect } from '../defect.js';

const QUEUE = 'src/engine/queue.ts';
const DESCRIPTORS = 'src/engine/descriptors.ts';
const GLOBAL_COMMAND = 'src/engine/global-command.ts';

/** Defects of the invalidation queue, and of the commands that switch it and the unit. */
export const QUEUE_DEFECTS: readonly Defect[] = [
  {
    id: 'wait-before-invalidation',
    area: 'queue',
    shipped: {
      row: 208,
      link: 'riscv-iommu reference model 51a4f58',
      what: 'completion was told before what it stands for was complete',
    },
    plants: 'an invalidation is done when the next one is fetched, so that a wait between them comes too early',
    file: QUEUE,
    anchor: 'this.pace.later(() => this.perform(taken));',
    replacement:
      'const waits = (taken[0] & TYPE) === WAIT.type; const due = waits ? taken : this.held; if (!waits) this.held = taken; if (due !== undefined) this.perform(due);',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'queue-size-ignored',
    area: 'queue',
    shipped: {
      row: 172,
      link: 'QEMU amd-iommu, fixed between the versions compared',
      what: 'head and tail of the command queue were not brought into its size',
    },
    plants: 'the queue wraps as if it were one page long, whatever its size is',
    file: QUEUE,
    anchor: 'const size = PAGE_BYTES << (attributes & QS);',
    replacement: 'const size = PAGE_BYTES;',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'wait-at-odd-slot-missed',
    area: 'queue',
    shipped: {
      row: 89,
      link: 'iommu/vt-d: Fix intel iommu iotlb sync hardlockup and retry',
      what: 'only every second slot of the queue was looked at, so that a wait was missed',
    },
    plants: 'a wait in an odd slot never completes',
    file: QUEUE,
    anchor: 'this.completeWait(descriptor);\n        break;',
    replacement: 'if ((this.registers.get(IQH) & 16) !== 0) this.completeWait(descriptor);\n        break;',
    shapes: ['39-2m', '48-1g', '57-4k'],
  },
  {
    id: 'status-needs-interrupt',
    area: 'queue',
    shipped: {
      row: 221,
      link: 'openvmm 9632186a0 (AMD)',
      what: 'the status of a completion was told only when its interrupt was enabled',
    },
    plants: 'a wait writes its status data only when it asks for the event, too',
    file: QUEUE,
    anchor: 'if ((flags & WAIT_SW) !== 0) {',
    replacement: 'if ((flags & WAIT_SW) !== 0 && (flags & WAIT_IF) !== 0) {',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'descriptor-reserved-unchecked',
    area: 'queue',
    shipped: {
      row: 86,
      link: 'iommu/vt-d: Enforce PASID devTLB field mask',
      what: 'garbage was left in reserved bits of a descriptor',
    },
    plants: 'reserved bits of descriptors are not checked',
    file: DESCRIPTORS,
    anchor: 'const valid = set === 0 && ',
    replacement: 'const valid = ',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'descriptor-granularity-unchecked',
    area: 'queue',
    shipped: {
      row: 223,
      link: 'openvmm aaa2544ba (SMMU)',
      what: 'a reserved encoding of a command was ignored',
    },
    plants: 'reserved granularities of descriptors are accepted',
    file: DESCRIPTORS,
    anchor: '((rule.granularities >> granularity) & 1) === 1 && ',
    replacement: '',
    shapes: ['39-2m', '48-2m', '57-1g'],
  },
  {
    id: 'descriptor-without-capability',
    area: 'queue',
    shipped: {
      row: 217,
      link: 'riscv-iommu reference model 8d9b9c8',
      what: 'commands of a feature that the unit does not have were accepted',
    },
    plants: 'descriptors that belong to scalable mode are accepted in legacy mode',
    file: DESCRIPTORS,
    anchor: '(rule.wide && !wideTypes)',
    replacement: 'false',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'head-kept-when-off',
    area: 'queue',
    shipped: {
      row: 223,
      link: 'openvmm aaa2544ba (SMMU)',
      what: 'the consumer index could not be set while the queue was off, so that both sides disagreed',
    },
    plants: 'the head is not 0 after the queue was switched off',
    file: QUEUE,
    anchor: '      this.registers.set(IQH, 0);\n',
    replacement: '',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'queue-error-without-event',
    area: 'queue',
    shipped: {
      row: 221,
      link: 'openvmm 9632186a0 (AMD)',
      what: 'an error of the command queue was not reported',
    },
    plants: 'an error of the queue raises no fault event',
    file: 'src/engine/faults.ts',
    anchor: '    this.registers.set(FSTS, status | IQE);\n    this.raiseEvent(status);',
    replacement: '    this.registers.set(FSTS, status | IQE);',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
  {
    id: 'command-from-wrong-shadow',
    area: 'assignment',
    shipped: {
      row: 250,
      link: 'ACRN e95b316dd',
      what: 'what was on was taken from a register that cannot be read, and the next command switched it off',
    },
    plants: 'setting the root table pointer switches the queue off',
    file: GLOBAL_COMMAND,
    anchor: 'const changed = (written ^ before) & this.persistent;',
    replacement:
      'const changed = ((written ^ before) & this.persistent) | ((written & SRTP) !== 0 ? before & QIE : 0);',
    shapes: ['39-2m', '48-1g', '57-1g'],
  },
];
