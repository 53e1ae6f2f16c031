import { z } from 'zod';
import { BadInput, badInput, type DataPath, type Problem, type Source, show, sourceText } from './bad-input.js';

/** Newest version of every format that this release reads, and the one that it writes. */
const UNDERSTOOD = 1;

/**
 * Parses JSON.
 *
 * @throws BadInput with line and column of the place where it stops making sense
 */
export function parseJson(text: string, source: Source): unknown {
  if (text.trim() === '') throw new BadInput(`${sourceText(source)}: empty; expected JSON`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadInput(syntaxMessage(text, source, error instanceof Error ? error.message : String(error)));
  }
}

function syntaxMessage(text: string, source: Source, message: string): string {
  const sound = soundPrefix(text);
  const before = text.slice(0, sound).split('\n');
  const line = (source.line ?? 1) + before.length - 1;
  const column = (before.at(-1) ?? '').length + 1;
  const what = sound === text.length ? 'JSON ends in the middle (truncated?)' : `not JSON: ${reason(message)}`;
  return `${source.file}:${line}:${column}: ${what}`;
}

/** Length of the longest beginning of the text that could still become JSON. The parser does not always tell where it stopped. */
function soundPrefix(text: string): number {
  let sound = 0;
  let broken = text.length + 1;
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1;
    if (couldGoOn(text.slice(0, middle))) sound = middle;
    else broken = middle;
  }
  return sound;
}

function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (/end of JSON input|Unterminated string/i.test(message)) return true;
    const position = /at position (\d+)/.exec(message);
    return position !== null && Number(position[1]) >= text.length;
  }
}

/** The parser's message without its quotation of the text and its own position. */
function reason(message: string): string {
  return message
    .replace(/,? ?"[\s\S]*$/, '')
    .replace(/ in JSON at position[\s\S]*$/, '')
    .replace(/\s+/g, ' ');
}

/**
 * Checks that a document is of a format and of a version that this release reads.
 *
 * @throws BadInput for something else, and for a newer version
 */
export function checkHeader(value: unknown, format: string, source: Source): void {
  const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  const found = 'format' in fields ? fields.format : undefined;
  if (found !== format)
    throw badInput(source, { path: ['format'], message: `expected "${format}", got ${show(found)}` });
  const version = 'version' in fields ? fields.version : undefined;
  if (typeof version === 'number' && version > UNDERSTOOD) {
    const where = sourceText(source);
    throw new BadInput(`${where}: version ${version} is newer than this iovcheck understands (${UNDERSTOOD})`);
  }
}

/**
 * Decodes JSON data by a schema.
 *
 * @throws BadInput for the first thing that does not fit
 */
export function decodeWith<T>(schema: z.ZodType<T>, value: unknown, source: Source, prefix: DataPath = []): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new BadInput(`${sourceText(source)}: does not fit the format`);
  const { path, message } = problemOf(issue, value);
  throw badInput(source, { path: [...prefix, ...path], message });
}

/** Throws the first of the problems, if there is one. */
export function refuse(problems: readonly Problem[], source: Source, prefix: DataPath = []): void {
  const first = problems[0];
  if (first !== undefined) throw badInput(source, { path: [...prefix, ...first.path], message: first.message });
}

function problemOf(issue: z.core.$ZodIssue, root: unknown): Problem {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    return { path: [...path, issue.keys[0] ?? ''], message: 'expected no such field' };
  }
  return { path, message: `${expectation(issue)}, got ${show(valueAt(root, path))}` };
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return `expected ${issue.exact ? 'exactly' : 'at least'} ${issue.minimum}${counted(issue.origin)}`;
    case 'too_big':
      return `expected ${issue.exact ? 'exactly' : 'at most'} ${issue.maximum}${counted(issue.origin)}`;
    default:
      return issue.message;
  }
}

function counted(origin: string): string {
  if (origin === 'array') return ' elements';
  return origin === 'string' ? ' characters' : '';
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    array: 'a list',
    object: 'an object',
    record: 'an object',
    string: 'a string',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

function valueAt(root: unknown, path: DataPath): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.getOwnPropertyDescriptor(value, key)?.value;
  }, root);
}

/** JSON of a schema's value: `undefined` never, key order as in the schema. */
export function encodeWith<T>(schema: z.ZodType<T>, value: T): unknown {
  return z.encode(schema, value);
}
