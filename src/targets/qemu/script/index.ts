import { readFileSync } from 'node:fs';
import type { Operation } from '../../../../spec/interface/operations.js';
import type { Profile } from '../../../../spec/interface/profile.js';
import type { IommuOptions } from '../command.js';
import { dmaValues, slotOffset } from '../edu.js';
import { EDUS } from '../platform.js';
import { hex } from '../qtest.js';
import { requesterPosition } from '../requests.js';
import { stagingFrame } from '../staging.js';
import { NoScript, type ScriptInput } from './input.js';
import { referredTo } from './operands.js';
import { operationLines, seeData } from './operations.js';
import { fillBuffers, machineFunction, pciFunction, startState } from './setup.js';
import { call, comment, quoted } from './shell.js';
import { dataWeighing } from './weigh.js';

export { NoScript, type ScriptInput, type Sign, type TellingWord, type ValuePattern } from './input.js';

/** How long a script runs at most, in seconds. */
const LIMIT = 120;
/** The same where QEMU is expected to fall silent. */
const SHORT_LIMIT = 20;

const RULE = `# ${'-'.repeat(117)}`;

/**
 * A shell script that shows a case's deviation on any QEMU, without anything of this project.
 *
 * @throws NoScript when the case is not one of QEMU's, or asks for what a script cannot do
 */
export function qtestScript(input: ScriptInput): string {
  const iommu = iommuOptions(input.profile);
  const performed = performedOperations(input);
  const requesters = requestersOf(performed);
  const kept = referredTo(performed);
  const sections = [
    header(input, iommu),
    facts(input),
    machineFunction(iommu),
    pciFunction(),
    [readFileSync(new URL('./prelude.sh', import.meta.url), 'utf8').trim()],
    [RULE, '# Where the case begins.', RULE],
    ['start', 'set_up_pci'],
    fillBuffers(requesters),
    startState(input.profile, input.start === 'ready'),
    [RULE, '# What the case does.', RULE],
    ...performed.map((_, at) => operationLines(input, at, kept.has(at))),
    leftOut(input, performed.length),
    fetching(input, performed),
    ending(input),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** The IOMMU that a profile of QEMU's target describes. */
function iommuOptions({ implementation }: Profile): IommuOptions {
  const found = /^QEMU \S+ intel-iommu aw-bits=(39|48)((?: [\w-]+=[\w-]+)*)$/.exec(implementation);
  if (found === null) throw new NoScript(`the case is of "${implementation}", not of QEMU's intel-iommu`);
  return { awBits: found[1] === '39' ? 39 : 48, properties: found[2]!.trim().replaceAll(' ', ',') };
}

/** What follows the observation that shows the deviation changes nothing. */
function performedOperations({ operations, sign }: ScriptInput): readonly Operation[] {
  return 'at' in sign ? operations.slice(0, sign.at + 1) : operations;
}

function requestersOf(operations: readonly Operation[]): readonly number[] {
  const positions = operations.flatMap((operation, at) =>
    operation.op === 'dma' ? [requesterPosition(operation.requester, at)] : [],
  );
  return [...new Set(positions)].sort((a, b) => a - b);
}

function header(input: ScriptInput, iommu: IommuOptions): readonly string[] {
  return [
    '#!/bin/sh',
    ...comment(input.finding),
    '#',
    ...(input.rule === undefined ? [] : [...comment(`The rule: ${input.rule}`), '#']),
    ...comment(`Expected: ${input.expected}`),
    ...comment(`Observed: ${input.observed}`),
    ...comment(`          on ${input.profile.implementation}`),
    '#',
    '# sh THIS-FILE [QEMU]    runs it on a qemu-system-x86_64: the argument, else $QEMU, else the one in PATH.',
    '#',
    '# The last line says what came of it, and so does the exit code:',
    '#   DEVIATES (1)      the deviation is there, as it was recorded',
    '#   AS EXPECTED (0)   what is observed is what the specification admits',
    '#   UNDECIDED (2)     what is observed is neither',
    '#   TROUBLE (2)       QEMU is missing, lacks a device, or ended for another reason',
    '#',
    '# Needed: a POSIX shell, awk, cat, dd, grep, mkfifo, mktemp, rm, sed, sleep, tail, tr and wc; QEMU 6.0 or newer with',
    `# q35, intel-iommu (aw-bits=${iommu.awBits}), pcie-root-port and edu.`,
    '#',
    ...comment(input.source),
  ];
}

function facts({ finding, expected, observed, sign }: ScriptInput): readonly string[] {
  return [
    'set -u',
    `limit=${sign.kind === 'silence' ? SHORT_LIMIT : LIMIT} # seconds; the environment's LIMIT goes before`,
    `finding=${quoted(finding)}`,
    `expected=${quoted(expected)}`,
    `observed=${quoted(observed)}`,
    `finding_is=${sign.kind}`,
  ];
}

function leftOut({ operations }: ScriptInput, performed: number): readonly string[] {
  const rest = operations.length - performed;
  return rest === 0
    ? []
    : [`# The case goes on with ${rest} more operations, which change nothing of what was observed.`];
}

/** What devices received stays in their buffers; it is written to memory after a reset, with translation off. */
function fetching(input: ScriptInput, performed: readonly Operation[]): readonly string[] {
  const lines = performed.flatMap((operation, at) => {
    const recorded = dataOf(input, at);
    if (operation.op !== 'dma' || operation.direction !== 'read' || recorded === undefined) return [];
    const requester = requesterPosition(operation.requester, at);
    const { token, bytes } = operation;
    const offset = slotOffset('read', token, bytes);
    const address = BigInt(stagingFrame(requester));
    const values = dmaValues({ direction: 'write', address, offset, bytes });
    const { sign } = input;
    return [
      `at=${at}`,
      call('fetch', BigInt(EDUS[requester]!.bar), ...values),
      ...(sign.kind === 'data' && sign.at === at
        ? [dataWeighing(recorded, sign.admitted, input.expected)]
        : seeData(input.observations[at], `${operation.requester} received`)),
    ];
  });
  const explained =
    '# What the devices received: their buffers outlast a reset, after which they reach memory untranslated.';
  return lines.length === 0 ? [] : [explained, 'reboot', ...lines];
}

function dataOf({ observations }: ScriptInput, at: number): Uint8Array | undefined {
  const observation = observations[at];
  return observation !== undefined && 'data' in observation ? observation.data : undefined;
}

function ending({ sign }: ScriptInput): readonly string[] {
  if ('at' in sign) return ['conclude'];
  return ['# QEMU still answers.', `ask readl ${hex(0xfed9_0000)}`, 'verdict=expected', 'conclude'];
}
