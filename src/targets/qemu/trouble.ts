import type { TargetFailure } from '../../../spec/interface/scenario.js';

/** QEMU ended, fell silent or answered nonsense. Never leaves this folder: the target turns it into a failure. */
export class Trouble extends Error {
  readonly kind: TargetFailure['kind'];
  /** Index of the operation in flight, where known. */
  readonly at: number | undefined;
  constructor(kind: TargetFailure['kind'], message: string, at?: number) {
    super(message);
    this.name = 'Trouble';
    this.kind = kind;
    this.at = at;
  }
}

/** How a QEMU process ended, and what it printed. */
export interface Ending {
  /** As a shell tells it: 128 plus the signal's number when a signal ended it; absent when unknown. */
  readonly status: number | undefined;
  readonly stderr: string;
}

/** Lines that say why a program gave up. */
const FATAL = /Assertion|assertion failed|hardware error|Bail out|fatal|terminate called|\bERROR:/i;

const OUTPUT_LINES = 20;
const OUTPUT_CHARACTERS = 4000;
const REASON_CHARACTERS = 300;

const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** One line about an end, equal for equal ends: "SIGABRT: hw/i386/intel_iommu.c:3028: …". */
export function endingMessage(ending: Ending): string {
  const how = howItEnded(ending.status);
  const reason = reasonLine(ending);
  return reason === undefined ? `QEMU ended: ${how}` : `QEMU ended: ${how}: ${reason}`;
}

/** The last lines that QEMU printed, or `undefined` when it printed nothing. */
export function lastOutput(stderr: string): string | undefined {
  const lines = stderr.trimEnd().split('\n').slice(-OUTPUT_LINES);
  const text = lines.join('\n').slice(-OUTPUT_CHARACTERS);
  return text === '' ? undefined : text;
}

function howItEnded(status: number | undefined): string {
  if (status === undefined) {
    return 'unknown status';
  }
  const signal = status - 128;
  return signal > 0 ? (SIGNAL_NAMES[signal] ?? `signal ${signal}`) : `exit status ${status}`;
}

/** A signal's last line is often an unrelated warning: only a fatal line is taken then. */
function reasonLine({ status, stderr }: Ending): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const fatal = lines.filter((line) => FATAL.test(line)).at(-1);
  const chosen = fatal ?? (status !== undefined && status < 128 ? lines.at(-1) : undefined);
  return chosen === undefined ? undefined : withoutTraces(chosen).slice(0, REASON_CHARACTERS);
}

/**
 * A line without what differs from run to run: program prefix, process ids, folders, and numbers that look like
 * addresses. Source files, line numbers and assertion texts stay.
 */
export function withoutTraces(line: string): string {
  return line
    .trim()
    .replace(/^[^\s:]*qemu[^\s:]*:\s*/, '')
    .replace(/(?:\.\.\/)+/g, '')
    .replace(/(?<![\w.])\/(?:[^\s/:'"]+\/)+/g, '')
    .replace(/\b(pid|process|thread) \d+/gi, '$1 N')
    .replace(/\b0x[0-9a-f]{5,}\b/gi, '0x…');
}
