import type { Clause, EvidenceTag, Obligation } from '../interface/judgement.js';

const SOFTWARE = 'Hypervisor (software, the same on every target)';

function promise(id: string, section: string, rule: string): Clause {
  return {
    id,
    document: SOFTWARE,
    revision: '1',
    section,
    rule,
    obligation: 'MUST',
    tag: 'd',
    needs: '-',
    choices: [],
  };
}

/** A property of delivery, P1 to P9 of the facts on interrupts: from the host's vector to the vCPU. */
function delivery(
  id: string,
  rule: string,
  choices: readonly string[] = [],
  tag: EvidenceTag = '2',
  obligation: Obligation = 'MUST',
): Clause {
  const section = 'Our software, second leg: host vector to vCPU';
  return { id, document: SOFTWARE, revision: '1', section, rule, obligation, tag, needs: '-', choices };
}

function apic(id: string, section: string, rule: string): Clause {
  const document = 'Intel SDM volume 3, Advanced Programmable Interrupt Controller (virtual, software)';
  const where = `Our software, the vCPU: ${section}`;
  return {
    id,
    document,
    revision: '2016-12',
    section: where,
    rule,
    obligation: 'MUST',
    tag: '2',
    needs: '-',
    choices: [],
  };
}

/**
 * What VMs are promised by the hypervisor. Its own promises carry tag "d": they convict nobody else. That a function reaches
 * only vectors of its own (P8) is not among them: without interrupt remapping a VT-d unit cannot see to it.
 */
export const hypervisorClauses: readonly Clause[] = [
  promise('HV-OWN-001', 'Ownership of frames', 'A frame given to a VM is a frame of the arena that nobody else has.'),
  promise('HV-OWN-002', 'Ownership of frames', 'The host stores nothing into a frame that a VM has.'),
  promise('HV-ISO-001', 'Isolation', "A VM's function can reach no frame of another VM, on any lawful hardware."),
  promise('HV-ISO-002', 'Isolation', "A VM's function, or one of no VM, can reach no frame of the host."),
  promise(
    'HV-ISO-003',
    'Isolation',
    'What a function reads of its VM is zero or was written by functions while they were the same VM’s.',
  ),
  promise(
    'HV-TRN-001',
    'Translation',
    'From the answers to attach and map on, a function reaches the page; until then, and from the request to take either away on, it may.',
  ),
  promise(
    'HV-TRN-002',
    'Translation',
    'A guest-physical page leads to the frame that it was last mapped to, and no other.',
  ),
  promise('HV-FN-001', 'Ownership of functions', 'A function that somebody has is not attached.'),
  promise('HV-REQ-001', 'Requests', 'A request that can be met is met.'),
  promise('HV-REQ-002', 'Requests', 'A request that cannot be met is refused.'),
  promise('HV-LIVE-001', 'Requests', 'Every request is answered.'),
  delivery('HV-DLV-001', 'P1: an event of a connected function leads to an entry when the vCPU is ready for it.', [
    'MO-11',
  ]),
  delivery('HV-DLV-002', 'P2: a vCPU is entered at a vector only for a function that is routed there.', [
    'MO-5',
    'MO-9',
  ]),
  delivery('HV-DLV-003', 'P3: there are no more entries than events.', ['MO-4']),
  delivery('HV-DLV-004', 'P4: events that no entry separates may merge into one.', ['MO-4'], '2', 'MAY'),
  delivery(
    'HV-DLV-006',
    'P6: after EOI, lowering of TPR, or unmask a held event leads to an entry without another event.',
  ),
  delivery('HV-DLV-007', 'P7: after a function was taken away or routed elsewhere, no event arrives the old way.', [
    'MO-10',
  ]),
  apic(
    'APIC-005',
    'Task and Processor Priorities',
    'The PPR class is the higher one of TPR and the highest vector in service.',
  ),
  apic(
    'APIC-006',
    'Task and Processor Priorities',
    'A vector is dispatched only when its class is above the PPR class.',
  ),
  apic(
    'APIC-007',
    'Interrupt Acceptance for Fixed Interrupts',
    'Dispatch takes exactly the highest requested vector into service.',
  ),
  apic('APIC-008', 'Signaling Interrupt Servicing Completion', 'EOI ends exactly the highest vector in service.'),
];
