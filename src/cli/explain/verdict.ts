import type { Clause, Finding, Judgement } from '../../../spec/interface/judgement.js';
import { type Line, line, type Style } from './page.js';

/** One thing that is told of a finding. */
export function told(name: string, text: string, style?: Style): Line {
  return line(2, `${name.padEnd(10)}${text}`, style, 10);
}

/** The finding, with the rule that it breaks. */
export function findingLines(finding: Finding, clause: Clause | undefined): readonly Line[] {
  const { at, shownAt, expected, observed, certain } = finding;
  const own = at === shownAt ? `at #${at}` : `by #${at}, shown by #${shownAt}`;
  const shown = finding.event === undefined ? own : `after #${at}`;
  return [
    line(0, `${finding.clause} ${finding.kind}: ${finding.discriminator}`, 'bold'),
    ...(clause === undefined ? [] : [told('rule', clause.rule), line(12, sourceText(clause), 'gray')]),
    told('expected', expected, 'green'),
    told('observed', observed, 'red'),
    told('broken', shown),
    ...(certain ? [] : [line(2, 'SUSPECT: it rests on a weaker source', 'yellow')]),
  ];
}

function sourceText({ document, revision, section, obligation }: Clause): string {
  return `${obligation}; ${document} ${revision}, ${section}`;
}

/** What is said where there is no finding. */
export function verdictLines({ verdict, undecided, statistics }: Judgement): readonly Line[] {
  const head = `${verdict}: ${statistics.judged} of ${statistics.operations} operations judged, no deviation`;
  return [
    line(0, head, verdict === 'conformant' ? 'green' : 'yellow'),
    ...undecided.map((each) => line(2, `#${each.at} ${each.kind}: ${each.reason}`)),
  ];
}
