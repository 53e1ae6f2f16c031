import { main } from './cli.js';
import { defaultWorld } from './default-world.js';

/** What a run of the command line said. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the real command line in this process; for tests. */
export async function runCli(
  argv: readonly string[],
  terminal: { readonly columns?: number; readonly isTTY?: boolean; readonly env?: Record<string, string> } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const { env = {}, ...stream } = terminal;
  const code = await main(
    argv,
    {
      stdout: {
        ...stream,
        write: (text) => {
          out += text;
        },
      },
      stderr: {
        ...stream,
        write: (text) => {
          err += text;
        },
      },
      env,
      cwd: process.cwd(),
      onInterrupt: () => () => {},
      exitNow: () => {},
    },
    defaultWorld,
  );
  return { code, out, err };
}
