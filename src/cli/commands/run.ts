import { join } from 'node:path';
import {
  CannotWrite,
  claimFolder,
  decodeCase,
  encodeCase,
  ensureWritable,
  removeLeftovers,
} from '../../formats/index.js';
import {
  CampaignBroken,
  type CampaignOptions,
  type CampaignResult,
  type CaseRunner,
  type LostCase,
  NothingExecuted,
  replayCommand,
  runCampaign,
  setAside,
  verdictOf,
} from '../../harness/index.js';
import { buildReport, type ExitCode, renderTerminal, writeReport } from '../../report/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { wantsColour, widthOf } from '../io.js';
import { JobPool, workerFile } from '../jobs/pool.js';
import { ProgressDisplay } from '../progress.js';
import { flagText, TARGET_FLAGS } from '../select.js';
import { knownDeviations, shownPath, storedCases } from '../stored.js';
import type { TargetOptions } from '../world.js';
import { headline, type Plan, planOf, type Variant } from './run-plan.js';

/** Exit code where cases were lost through an error of our own. */
const INTERNAL = 70;

export const RUN: CommandSpec = {
  name: 'run',
  args: '[...properties]',
  description: 'Run properties on a target and report what it does against the specification',
  options: [
    ['--target <name>', 'Target (default: engine; see: iovcheck list targets)'],
    ...TARGET_FLAGS,
    ['--time <duration>', 'Time to spend in all, like 500ms, 30s or 5m (default: 60s, unless --cases is given)'],
    ['--cases <n>', 'Random cases of each property and variant; with it a run is repeatable'],
    ['--seed <n>', 'Seed of the random cases (default: random, printed)'],
    ['--jobs <n>', 'Cases at the same time, each on a target of its own (default: 1)'],
    ['--out <folder>', 'Folder for the report and the cases (default: .iovcheck)'],
  ],
  examples: [
    'run',
    'run translation --target engine --shape 48-1g --cases 1000 --seed 7',
    'run --target qemu --time 5m',
    'run --target qemu --qemu ./build/qemu-system-x86_64 --aw-bits 39 --out results',
  ],
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const plan = planOf(invocation);
  ensureWritable(plan.out);
  const giveBack = claimFolder(plan.out);
  try {
    return await runIn(invocation, plan);
  } finally {
    giveBack();
  }
}

async function runIn(invocation: Invocation, plan: Plan): Promise<number> {
  const { io, world } = invocation;
  for (const folder of [plan.out, join(plan.out, 'cases')]) removeLeftovers(folder);
  const known = knownDeviations(world, plan.kind.id, io.cwd);
  const stored = storedCases(world, plan.out, io.cwd);
  tellOfLeft(invocation, plan);
  io.stderr.write(`${headline(plan, stored.length)}\n`);

  const abort = new AbortController();
  let interrupted: number | undefined;
  const release = io.onInterrupt((code) => {
    if (interrupted !== undefined) io.exitNow(code);
    else io.stderr.write('\ninterrupted: writing the report (once more to end at once)\n');
    interrupted = code;
    abort.abort();
  });
  const pool = jobPool(invocation, plan, known);
  const lost: LostCase[] = [];
  try {
    const onLost = (each: LostCase): void => {
      lost.push(each);
    };
    const ran = await campaigns(invocation, plan, { known, stored, signal: abort.signal, onLost, pool });
    const code = report(invocation, plan, ran);
    for (const line of lostText(lost)) io.stderr.write(`${line}\n`);
    if (ran.broken !== undefined) throw ran.broken.cause;
    if (lost.length > 0) return INTERNAL;
    return interrupted ?? code;
  } finally {
    await pool?.close();
    release();
  }
}

/** The threads of a run with several jobs; it has none otherwise. */
function jobPool({ world }: Invocation, plan: Plan, known: Shared['known']): JobPool | undefined {
  if (plan.jobs === 1) return undefined;
  const properties = plan.properties.map(({ id }) => id);
  return new JobPool(workerFile(world.root), plan.jobs, { kind: plan.kind.id, properties, known, out: plan.out });
}

function lostText(lost: readonly LostCase[]): readonly string[] {
  const each = lost.map(
    ({ origin: { property, kind, index, seed }, lost: why }) =>
      `iovcheck: ${kind} case ${index} of ${property} with seed ${seed} was lost: ${why}`,
  );
  return each.length === 0 ? [] : [...each, 'iovcheck: internal error: the report is without the cases that were lost'];
}

/** Says that a run was killed here, and how to run again what it was running. */
function tellOfLeft({ io }: Invocation, { out }: Plan): void {
  for (const left of setAside(out)) {
    const command = replayCommand(left, undefined, io.cwd);
    io.stderr.write(`an earlier run ended in the middle of a case, which is kept: ${command}\n`);
  }
}

type Shared = Pick<CampaignOptions, 'known' | 'stored'> & {
  readonly signal: AbortSignal;
  readonly onLost: (lost: LostCase) => void;
  readonly pool: JobPool | undefined;
};

/** Campaigns with their results, and what kept the last of them from going on. */
interface Campaigns {
  readonly done: readonly { readonly variant: Variant; readonly result: CampaignResult }[];
  readonly broken?: { readonly cause: unknown };
}

/** A campaign per variant; time that one leaves over goes to those after it. One that breaks is the last. */
async function campaigns(invocation: Invocation, plan: Plan, { pool, ...shared }: Shared): Promise<Campaigns> {
  const display = new ProgressDisplay(invocation.io.stderr);
  const done: { variant: Variant; result: CampaignResult }[] = [];
  const idle: string[] = [];
  let left = plan.seconds;
  for (const [index, variant] of plan.variants.entries()) {
    if (shared.signal.aborted) break;
    const seconds = left === undefined ? undefined : Math.max(0.01, left / (plan.variants.length - index));
    const begun = performance.now();
    const place = { name: variant.name, index, of: plan.variants.length };
    try {
      const runner = pool?.runner(index, variant.options);
      const result = await campaign(invocation, plan, variant.options, runner, {
        ...shared,
        seed: plan.seed,
        out: plan.out,
        ...(seconds === undefined ? {} : { seconds }),
        ...(plan.cases === undefined ? {} : { cases: plan.cases }),
        onProgress: (progress) => display.show(place, progress),
      });
      // Interrupted while its target was closed, the run may still lack the campaigns after it.
      done.push({ variant, result: { ...result, interrupted: result.interrupted || shared.signal.aborted } });
    } catch (error) {
      if (error instanceof CampaignBroken) done.push({ variant, result: error.result });
      const last = done.at(-1);
      if (last !== undefined && !(error instanceof NothingExecuted)) {
        last.result = { ...last.result, interrupted: true };
        return { done, broken: { cause: error instanceof CampaignBroken ? error.cause : error } };
      }
      if (!(error instanceof NothingExecuted)) throw error;
      idle.push(`${variant.name}: ${error.message}`);
    } finally {
      const took = (performance.now() - begun) / 1000;
      display.finished(took);
      if (left !== undefined) left -= took;
    }
  }
  if (done.length === 0) throw new NothingExecuted(idle[0] ?? 'no case was executed: interrupted before the first');
  for (const each of idle) invocation.io.stderr.write(`${each}\n`);
  return { done };
}

async function campaign(
  { io, world }: Invocation,
  { kind, properties }: Plan,
  options: TargetOptions,
  runner: CaseRunner | undefined,
  campaignOptions: CampaignOptions,
): Promise<CampaignResult> {
  const target = kind.create(options);
  try {
    return await runCampaign(target, properties, campaignOptions, {
      judge: world.judge,
      encodeCase,
      decodeCase: (text, file) => decodeCase(text, file, world.checkComponent),
      catalogue: world.catalogue,
      ...(world.clauseApplies === undefined ? {} : { clauseApplies: world.clauseApplies }),
      ...(world.drive === undefined ? {} : { drive: world.drive }),
      ...(runner === undefined ? {} : { runner }),
      tool: world.tool,
      cwd: io.cwd,
    });
  } finally {
    await target.close();
  }
}

/** Paths relative to the current folder, and commands with the flags that the case does not know. */
function forPeople({ options, given }: Variant, result: CampaignResult, cwd: string): CampaignResult {
  const { shape: _inTheCase, awBits: _too, ...kept } = given;
  return {
    ...result,
    deviations: result.deviations.map((each) => ({
      ...each,
      file: each.file === '' ? '' : shownPath(each.file, cwd),
      command: `${each.command}${flagText(each.file === '' ? options : kept)}`,
    })),
  };
}

function report({ io, world }: Invocation, plan: Plan, { done, broken }: Campaigns): ExitCode {
  const runs = done.map(({ variant, result }) => {
    const { code, line } = verdictOf(result);
    return { name: variant.name, result: forPeople(variant, result, io.cwd), code, line };
  });
  const built = buildReport(runs, { catalogue: world.catalogue, tool: world.tool });
  const text = renderTerminal(built, { colour: wantsColour(io, io.stdout), width: widthOf(io.stdout) });
  io.stdout.write(`${text}\n`);
  try {
    const written = writeReport(built, plan.out);
    io.stdout.write(`report: ${shownPath(written.markdown, io.cwd)}, ${shownPath(written.json, io.cwd)}\n`);
  } catch (error) {
    // What broke a run is most likely the same, and is told.
    if (broken === undefined || !(error instanceof CannotWrite)) throw error;
  }
  return built.exitCode;
}
