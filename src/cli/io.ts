/** A stream that text is written to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** What the command line touches of the process, so that tests can stand in for it. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path that relative ones start from. */
  readonly cwd: string;
  /** Calls back on every SIGINT, SIGTERM and SIGHUP, with 128 and its number, until the returned function is called. */
  onInterrupt(callback: (code: number) => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

const NARROWEST = 60;
const USUAL_WIDTH = 120;

/** Columns to lay text out in. */
export function widthOf(output: Output): number {
  return Math.max(NARROWEST, output.columns ?? USUAL_WIDTH);
}

/** Whether to colour: on a terminal, unless NO_COLOR says otherwise. */
export function wantsColour(io: Io, output: Output): boolean {
  const { NO_COLOR: refused, TERM: terminal } = io.env;
  return output.isTTY === true && (refused === undefined || refused === '') && terminal !== 'dumb';
}
