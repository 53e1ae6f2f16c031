import { z } from 'zod';
import { badInput } from './bad-input.js';
import { identityFields } from './case.js';
import { checkHeader, decodeWith, encodeWith, parseJson } from './json.js';
import { profileSchema } from './profile.js';
import { textSchema, whole } from './scalars.js';

const amount = z.number().min(0);
const count = whole(0);

const RUN_VERDICTS = ['conformant', 'deviant', 'inconclusive', 'target-failure', 'nothing-executed'] as const;
const verdictSchema = z.literal([...RUN_VERDICTS]);

const CLAUSE_VERDICTS = [
  'PASS',
  'FAIL',
  'SUSPECT',
  'KNOWN',
  'STALE',
  'NOT EXERCISED',
  'NOT APPLICABLE',
  'INCONCLUSIVE',
] as const;

const totalsSchema = z.strictObject({
  cases: count,
  operations: count,
  judged: count,
  undefinedOperations: count,
  inconclusiveCases: count,
  deviantCases: count,
  restarts: count,
  meanAdmissible: amount,
  mostWorlds: count,
  casesPerSecond: amount,
  operationsPerSecond: amount,
});

const clauseSchema = z
  .strictObject({
    clause: textSchema,
    verdict: z.literal([...CLAUSE_VERDICTS]),
    exercised: count,
    findings: count,
    document: z.exactOptional(z.string()),
    section: z.exactOptional(z.string()),
    rule: z.exactOptional(z.string()),
    obligation: z.exactOptional(z.string()),
    tag: z.exactOptional(z.string()),
  })
  .describe('One rule of the catalogue: what this run says of it and how often it decided something.');

const deviationSchema = z
  .strictObject({
    ...identityFields,
    certain: z.boolean().describe('False: rests on a weaker source, reported as SUSPECT and never failing a run.'),
    known: z.boolean(),
    confirmed: z.boolean().describe('Shown again by its shrunk case after a cold restart.'),
    hits: count,
    property: textSchema,
    expected: z.string(),
    observed: z.string(),
    file: z.string().describe('The stored case; empty when it could not be written.'),
    operations: count,
    command: z.string().describe('Command that reproduces it.'),
  })
  .describe('A distinct deviation: its identity is clause, kind and discriminator.');

const labelSchema = z.strictObject({
  property: textSchema,
  label: textSchema,
  count,
  of: count,
  minimum: amount,
  verdict: z.literal(['ok', 'low', 'too few']),
});

const propertySchema = z.strictObject({
  property: textSchema,
  claim: z.string(),
  cases: count,
  swept: count,
  sweepSize: count,
  notApplicable: z.exactOptional(z.string()),
});

const runSchema = z
  .strictObject({
    name: textSchema.describe('The target and which variant of it.'),
    target: textSchema,
    verdict: verdictSchema,
    summary: z.string().describe('The verdict with its reasons, for people.'),
    seed: count,
    started: z.string(),
    seconds: amount,
    interrupted: z.boolean(),
    profile: profileSchema,
    totals: totalsSchema,
    deviations: z.array(deviationSchema),
    stale: z.array(z.strictObject(identityFields)),
    clauses: z.array(clauseSchema),
    labels: z.array(labelSchema),
    undecided: z
      .array(z.strictObject({ reason: textSchema, cases: count, first: textSchema }))
      .describe('Why cases could not be decided.'),
    properties: z.array(propertySchema),
  })
  .describe('One campaign against one target.');

const reportSchema = z
  .strictObject({
    format: z.literal('iovcheck-report'),
    version: z.literal(1),
    tool: z.strictObject({ name: textSchema, version: textSchema }),
    verdict: verdictSchema,
    exitCode: z.literal([0, 1, 2, 3, 64]),
    summary: z.string(),
    runs: z.array(runSchema),
  })
  .describe('Conformance report of iovcheck. 64-bit values are hexadecimal strings.');

/** A conformance report: one or more campaigns with their verdicts. */
export type Report = z.output<typeof reportSchema>;
export type ReportRun = z.output<typeof runSchema>;
export type RunVerdict = (typeof RUN_VERDICTS)[number];

/**
 * The report as JSON text, checked against its schema.
 */
export function encodeReport(report: Report): string {
  return `${JSON.stringify(encodeWith(reportSchema, report), null, 2)}\n`;
}

/**
 * Reads a report.
 *
 * @throws BadInput naming file and path
 */
export function decodeReport(text: string, file: string): Report {
  const source = { file };
  const raw = parseJson(text, source);
  checkHeader(raw, 'iovcheck-report', source);
  const report = decodeWith(reportSchema, raw, source);
  if (report.runs.length === 0)
    throw badInput(source, { path: ['runs'], message: 'expected at least one run, got none' });
  return report;
}

/** The published JSON schema of a report (draft 2020-12). */
export function reportJsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { io: 'input' });
  return `${JSON.stringify({ $id: 'iovcheck-report-1.schema.json', ...schema }, null, 2)}\n`;
}
