#!/usr/bin/env node
import { cannotWrite } from '../formats/index.js';
import { CANNOT_WRITE, main } from './cli.js';
import { defaultWorld } from './default-world.js';
import type { Io } from './io.js';

/** What ends a run with a report: a person at the terminal, a machine that runs it, a terminal that closes. */
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt(callback) {
    const interrupted = (_name: NodeJS.Signals, number: number): void => callback(128 + number);
    for (const name of INTERRUPTS) process.on(name, interrupted);
    return () => {
      for (const name of INTERRUPTS) process.off(name, interrupted);
    };
  },
  exitNow: (code) => process.exit(code),
};

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has gone away ("| head") is no error of ours; what follows the first error is its consequence.
  if (error.code === 'EPIPE' || process.listenerCount('exit') > 0) return;
  process.stderr.write(`iovcheck: ${cannotWrite('standard output', error).message}\n`);
  process.once('exit', () => {
    process.exitCode = CANNOT_WRITE;
  });
});
// Nobody is left to be told, and the run itself need not end.
process.stderr.on('error', () => {});

process.exitCode = await main(process.argv.slice(2), io, defaultWorld);
