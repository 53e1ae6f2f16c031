/** The command line as a process of its own, whose engine has a defect, so that there is something to find and to shrink. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plantedSource } from '../bugs/defect.js';
import { DEFECTS } from '../bugs/list.js';
import { transpiled } from '../bugs/transpile.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Several properties find it within a few cases. */
const DEFECT = 'permission-of-leaf-only';

const FOLDERS = ['spec', 'src', 'properties'];

/** A built copy of the package in a folder of its own. */
export interface Installed {
  readonly folder: string;
  /** The program. */
  readonly main: string;
  remove(): void;
}

/** Builds the command line from the sources, with a defect in its engine. */
export function installPlanted(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'iovcheck-installed-'));
  const defect = DEFECTS.find(({ id }) => id === DEFECT)!;
  for (const name of FOLDERS.flatMap(sources)) {
    const source = readFileSync(join(ROOT, name), 'utf8');
    const built = join(folder, 'dist', name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(built), { recursive: true });
    writeFileSync(built, transpiled(name === defect.file ? plantedSource(source, defect) : source, name));
  }
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    main: join(folder, 'dist/src/cli/main.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`);
}

/** A process that ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A process under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Standard error so far. */
  err(): string;
}

/** Starts a program with a folder to work in. */
export function start(cwd: string, command: string, ...args: readonly string[]): Running {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, out, err }));
  });
  return { child, ended, err: () => err };
}
