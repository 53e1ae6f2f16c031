import type { Answer, History, SoftwareEvent, SoftwareRecord, Stimulus } from '../../spec/interface/scenario.js';

function valueText(value: Answer[string]): string {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
}

function argumentsText(given: Answer): string {
  return Object.entries(given)
    .map(([name, value]) => ` ${name}=${name === 'vector' ? `0x${value.toString(16)}` : valueText(value)}`)
    .join('');
}

/** A stimulus on one line. */
export function stimulusText({ actor, action, arguments: given, begins }: Stimulus): string {
  const when = begins === undefined ? '' : begins === 'answered' ? ', then at once' : `, ${begins} steps later`;
  return `${actor} ${action}${argumentsText(given)}${when}`;
}

/** The stimuli of a record by their numbers. */
export function stimuliOf({ events }: SoftwareRecord): ReadonlyMap<number, Stimulus> {
  return new Map(events.flatMap((event) => (event.kind === 'asked' ? [[event.id, event.stimulus] as const] : [])));
}

/** What happened at the level of software, on one line; nothing where it merely rests. */
export function eventText(event: SoftwareEvent, stimuli: ReadonlyMap<number, Stimulus>): readonly string[] {
  switch (event.kind) {
    case 'asked':
      return [`== [${event.id}] ${stimulusText(event.stimulus)}`];
    case 'answered': {
      const { actor = '', action = '' } = stimuli.get(event.id) ?? {};
      const said = argumentsText(event.answer);
      return [`== [${event.id}] ${actor} ${action} answered${said === '' ? '' : `:${said}`}`];
    }
    case 'rest':
      return [];
  }
}

/**
 * What software was asked and answered, and between that the hardware operations that it issued, each with the number of the
 * stimulus that it belongs to. What it did before it was asked anything is left out.
 *
 * @param broken position of the event that breaks a promise, which is marked
 */
export function softwareStory(
  history: History,
  record: SoftwareRecord,
  step: (index: number) => string,
  broken?: number,
): readonly string[] {
  const { events, issuers } = record;
  const stimuli = stimuliOf(record);
  const first = events.find(({ kind }) => kind === 'asked')?.at ?? history.steps.length;
  const lines = [`  (${first} operations of start-up)`];
  let next = first;
  const upTo = (end: number): void => {
    for (; next < end; next++) {
      const issuer = issuers[next] ?? -1;
      lines.push(`${issuer < 0 ? '    ' : `[${issuer}]`.padStart(4)} ${step(next)}`);
    }
  };
  for (const [position, event] of events.entries()) {
    upTo(event.at);
    lines.push(...eventText(event, stimuli).map((text) => (position === broken ? `> ${text}` : text)));
  }
  upTo(history.steps.length);
  return lines;
}
