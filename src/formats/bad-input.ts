/** Input that cannot be used. The message is one line: file, line, path inside the data, what was expected and what was there. */
export class BadInput extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadInput';
  }
}

/** Where a piece of data came from. */
export interface Source {
  readonly file: string;
  /** Line of the file, from 1, where the format has lines. */
  readonly line?: number;
}

/** A path inside JSON data. */
export type DataPath = readonly (string | number)[];

/** Something wrong at a place inside JSON data. */
export interface Problem {
  readonly path: DataPath;
  /** "expected …, got …". */
  readonly message: string;
}

/** `["steps", 3, "operation"]` as "steps[3].operation". */
export function pathText(path: DataPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** `FILE` or `FILE:LINE`. */
export function sourceText(source: Source): string {
  return source.line === undefined ? source.file : `${source.file}:${source.line}`;
}

/** The error for something wrong in a file. */
export function badInput(source: Source, problem: Problem): BadInput {
  const path = pathText(problem.path);
  return new BadInput(`${sourceText(source)}: ${path === '' ? '' : `${path}: `}${problem.message}`);
}

/** A value as an error message shows it: short, on one line. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'bigint':
      return `0x${value.toString(16)}`.replace('0x-', '-0x');
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Uint8Array) return `${value.length} bytes`;
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    default:
      return String(value);
  }
}
