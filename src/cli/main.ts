#!/usr/bin/env node
import { main } from './cli.js';
import { defaultWorld } from './default-world.js';
import type { Io } from './io.js';

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt(callback) {
    process.on('SIGINT', callback);
    return () => process.off('SIGINT', callback);
  },
  exitNow: (code) => process.exit(code),
};

// A reader that has gone away ("| head") is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2), io, defaultWorld);
