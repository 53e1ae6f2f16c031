import type { Evidence, Finding, Judgement } from '../../../spec/interface/judgement.js';
import type { Operation } from '../../../spec/interface/operations.js';
import type { History, SoftwareEvent, SoftwareRecord, Step, Stimulus } from '../../../spec/interface/scenario.js';
import { eventText, stimuliOf } from '../software-story.js';
import { observationText, operationText } from '../story.js';
import { foldedText, stretches } from './fold.js';
import { type Line, line } from './page.js';
import { fieldsText } from './registers.js';
import { Tables } from './tables.js';
import { walkLines } from './walk.js';

/** What a story is told of. */
export interface Told {
  readonly history: History;
  readonly judgement: Judgement;
  readonly finding: Finding | undefined;
  /** The operation that the target was busy with when it failed, where it is known. */
  readonly inFlight?: Operation | undefined;
  /** Tell every operation. */
  readonly all: boolean;
}

const STATES = {
  reset: 'as after a reset: translation is off',
  ready: 'translation is on, no entry is present, caches are empty, no fault is pending',
} as const;

const INDENT = 8;

/** The operations, with what each means and the walks that the judge took; where expected and observed part is marked. */
export function storyLines(told: Told): readonly Line[] {
  const { history, finding } = told;
  const explanation = told.judgement.explanation ?? [];
  const tables = new Tables(history, explanation);
  const parts = told.all
    ? history.steps.map((_, at) => ({ kind: 'told', at }) as const)
    : stretches(history, finding, explanation);
  const events = new Events(history, finding);
  return [
    line(0, `From state "${history.start}" (${STATES[history.start]}) on ${history.profile.implementation}:`),
    line(0, ''),
    ...parts.flatMap((part) => {
      if (part.kind === 'told') return [...events.until(part.at), ...stepLines(told, tables, part.at)];
      const setUp = part.from === 0;
      return [...events.until(part.from), line(2, foldedText(history, part.from, part.to, setUp), 'gray')];
    }),
    ...events.until(history.steps.length),
    ...failureLines(told),
  ];
}

function stepLines(told: Told, tables: Tables, at: number): readonly Line[] {
  const { history, finding, judgement } = told;
  const { operation } = history.steps[at]!;
  const own = finding?.at === at && finding.event === undefined;
  const mark = own ? '>' : finding?.shownAt === at ? '*' : ' ';
  const head = line(
    0,
    `${mark} #${at} ${issuerText(history, at)}${stepText(history.steps[at]!)}`,
    own || mark === '*' ? 'bold' : undefined,
  );
  const evidence = own && finding.evidence.length > 0 ? finding.evidence : (judgement.explanation?.[at] ?? []);
  return [
    head,
    ...meaning(operation, tables).map((text) => line(INDENT, text, 'gray')),
    ...evidenceLines(operation, evidence, own ? finding : undefined),
    ...partingLines(told, at),
  ];
}

/** The number of the stimulus that software served with an operation. */
function issuerText({ software }: History, at: number): string {
  const issuer = software?.issuers[at] ?? -1;
  return issuer < 0 ? '' : `[${issuer}] `;
}

/** An operation with what was observed, and which fields are set. */
function stepText({ operation, observation }: Step): string {
  const seen = observationText(observation);
  const read = 'value' in observation ? observation.value : undefined;
  const fields = 'register' in operation && read !== undefined ? fieldsText(operation, read) : undefined;
  return `${operationText(operation)}${seen === '' ? '' : ` → ${seen}`}${fields === undefined ? '' : ` (${fields})`}`;
}

function meaning(operation: Operation, tables: Tables): readonly string[] {
  if (operation.op === 'store') return tables.meaning(operation);
  if (operation.op !== 'regWrite' || typeof operation.value !== 'bigint') return [];
  const fields = fieldsText(operation, operation.value);
  return fields === undefined ? [] : [fields];
}

/** What was read from memory on the way; what a register held stands above already. */
function evidenceLines(operation: Operation, evidence: readonly Evidence[], finding?: Finding): readonly Line[] {
  const request = ['dma', 'message', 'signal', 'cpu'].includes(operation.op);
  const seen = request ? evidence : evidence.filter(({ words }) => words !== undefined && finding !== undefined);
  return walkLines(seen, operation, finding);
}

/** Where expected and observed part, and where that was seen. */
function partingLines({ finding }: Told, at: number): readonly Line[] {
  if (finding === undefined || finding.event !== undefined) return [];
  if (finding.at !== at && finding.shownAt !== at) return [];
  const { shownAt, expected, observed } = finding;
  if (finding.at !== at) return [line(INDENT, `shows it: ${observed}`, 'red')];
  return parting(expected, `${observed}${shownAt === at ? '' : ` (shown by #${shownAt})`}`);
}

function parting(expected: string, observed: string): readonly Line[] {
  return [
    line(4, '──── here expected and observed part ────', 'red'),
    line(INDENT, `expected  ${expected}`, 'green', 10),
    line(INDENT, `observed  ${observed}`, 'red', 10),
  ];
}

/** The target's own end. */
function failureLines({ history, finding, inFlight }: Told): readonly Line[] {
  const { failure } = history;
  if (failure === undefined) return [];
  const at = failure.at ?? history.steps.length;
  const busy = inFlight === undefined ? [] : [line(0, `> #${at} ${operationText(inFlight)}`, 'bold')];
  const meant =
    inFlight?.op === 'regWrite' && typeof inFlight.value === 'bigint'
      ? fieldsText(inFlight, inFlight.value)
      : undefined;
  const parts = finding?.clause === 'TARGET';
  return [
    ...busy,
    ...(meant === undefined ? [] : [line(INDENT, meant, 'gray')]),
    ...(parts ? [line(4, '──── here expected and observed part ────', 'red')] : []),
    ...(parts ? [line(INDENT, `expected  ${finding.expected}`, 'green', 10)] : []),
    line(INDENT, `observed  ${failure.kind}: ${failure.message}`, 'red', 10),
    ...(failure.output ?? '').split('\n').flatMap((text) => (text === '' ? [] : [line(INDENT + 2, text, 'gray')])),
  ];
}

/** What software under test was asked and answered, told between the operations it issued. */
class Events {
  readonly #finding: Finding | undefined;
  readonly #record: SoftwareRecord | undefined;
  readonly #stimuli: ReadonlyMap<number, Stimulus>;
  #next = 0;

  constructor({ software }: History, finding: Finding | undefined) {
    this.#finding = finding;
    this.#record = software;
    this.#stimuli = software === undefined ? new Map() : stimuliOf(software);
  }

  /** What happened before an operation and has not been told. */
  until(at: number): readonly Line[] {
    const events = this.#record?.events ?? [];
    const first = this.#next;
    while (this.#next < events.length && events[this.#next]!.at <= at) this.#next += 1;
    const due = events.slice(first, this.#next);
    return due.flatMap((event, index) => this.#told(event, first + index));
  }

  /** An event, and what was expected where it breaks a promise. */
  #told(event: SoftwareEvent, position: number): readonly Line[] {
    const lines = eventText(event, this.#stimuli).map((text) => line(2, text, 'cyan'));
    const finding = this.#finding;
    return finding?.event === position ? [...lines, ...parting(finding.expected, finding.observed)] : lines;
  }
}
