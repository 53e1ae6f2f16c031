import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { KnownDeviation } from '../harness/types.js';
import { type DataPath, type Problem, show } from './bad-input.js';
import { identityFields, readCase } from './case.js';
import { readText } from './files.js';
import { checkHeader, decodeWith, encodeWith, parseJson, refuse } from './json.js';
import { textSchema } from './scalars.js';
import type { ComponentCheck } from './validate-profile.js';

/** The deviations known for one target. */
export interface KnownList {
  readonly format: 'iovcheck-known';
  readonly version: 1;
  /** `Target.id` it applies to. */
  readonly target: string;
  readonly deviations: readonly KnownDeviation[];
}

const deviationSchema: z.ZodType<KnownDeviation> = z.strictObject({
  ...identityFields,
  implementation: textSchema.refine(isPattern, { error: 'expected a regular expression' }),
  facts: z.strictObject({
    row: textSchema,
    tag: z.literal(['2', '1S'], { error: 'expected a row with tag "2" or "1S"' }),
  }),
  lawfulChoices: z
    .array(z.strictObject({ row: textSchema, why: textSchema }))
    .min(1, { error: 'expected at least one row of lawful choice with why it does not admit this' }),
  case: textSchema,
  reason: textSchema,
  link: z.exactOptional(textSchema),
  expires: z.exactOptional(z.iso.date({ error: 'expected a date like "2027-01-31"' })),
});

const listSchema: z.ZodType<KnownList> = z.strictObject({
  format: z.literal('iovcheck-known'),
  version: z.literal(1),
  target: textSchema,
  deviations: z.array(deviationSchema),
});

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** The list as JSON text. */
export function encodeKnown(list: KnownList): string {
  return `${JSON.stringify(encodeWith(listSchema, list), null, 2)}\n`;
}

/**
 * Reads the list of a target from a file, and checks that every entry's case
 * exists, can be read and shows the deviation that the entry is about.
 *
 * @param shown the file's name in messages
 * @throws BadInput naming file and path, of the list or of the case
 */
export function readKnown(file: string, checkComponent?: ComponentCheck, shown: string = file): KnownList {
  const source = { file: shown };
  const raw = parseJson(readText(file, shown), source);
  checkHeader(raw, 'iovcheck-known', source);
  const list = decodeWith(listSchema, raw, source);
  list.deviations.forEach((entry, index) => {
    const path = ['deviations', index];
    refuse(duplicateProblems(list.deviations, index), source, path);
    refuse(caseProblems(file, entry, checkComponent), source, [...path, 'case']);
  });
  return list;
}

function duplicateProblems(entries: readonly KnownDeviation[], index: number): Problem[] {
  const entry = entries[index]!;
  const before = entries.slice(0, index).findIndex((other) => differing(entry, other) === undefined);
  const equal = before >= 0 && entries[before]?.implementation === entry.implementation;
  return equal
    ? [{ path: [], message: `expected a deviation of its own, got that of deviations[${before}] again` }]
    : [];
}

function caseProblems(list: string, entry: KnownDeviation, checkComponent: ComponentCheck | undefined): Problem[] {
  const path: DataPath = [];
  if (isAbsolute(entry.case)) {
    return [{ path, message: `expected a path relative to the list, got ${show(entry.case)}` }];
  }
  const file = join(dirname(list), entry.case);
  if (!existsSync(file)) return [{ path, message: `expected a case file that exists, got ${show(entry.case)}` }];
  const field = differing(entry, readCase(file, checkComponent).identity);
  return field === undefined
    ? []
    : [{ path, message: `expected a case of the same ${field}, got ${show(entry.case)}` }];
}

type Identity = Pick<KnownDeviation, 'clause' | 'kind' | 'discriminator'>;

function differing(one: Identity, other: Identity): keyof Identity | undefined {
  return (['clause', 'kind', 'discriminator'] as const).find((field) => one[field] !== other[field]);
}
