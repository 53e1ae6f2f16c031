import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import {
  DEFECTS,
  type Defect,
  type DefectResult,
  ENOUGH,
  encodeBugs,
  lineOf,
  newerSource,
  runHunters,
  survivors,
  totalOf,
} from '../../bugs/index.js';
import { writeAtomically } from '../../formats/files.js';
import { drawTable, type TableData } from '../../report/index.js';
import { BugsProgress } from '../bugs-progress.js';
import type { CommandSpec, Invocation } from '../command.js';
import { textFlag, wholeFlag } from '../flags.js';
import { type Io, wantsColour, widthOf } from '../io.js';
import { alternatives, named, UsageError } from '../usage.js';

const USUAL_SEEDS = 5;
const USUAL_CASES = 5000;
const USUAL_SHRINK_SECONDS = 10;
const MOST_SEEDS = 10_000;

export const BUGS: CommandSpec = {
  name: 'bugs',
  args: '[...defects]',
  description: 'Plant bugs that shipped elsewhere in the source, one at a time, and see that the properties find them',
  options: [
    ['--area <name>', `Only the defects of an area: ${alternatives(areas())}`],
    ['--seeds <n>', `Seeds for each defect (default: ${USUAL_SEEDS})`],
    ['--seed <n>', 'The first seed; the others follow (default: at random, and shown)'],
    ['--cases <n>', `Most cases of a seed, over all properties together (default: ${USUAL_CASES})`],
    ['--shrink <n>', `Seconds of shrinking for each defect (default: ${USUAL_SHRINK_SECONDS}; 0 for none)`],
    ['--jobs <n>', 'Defects at the same time, 1 or 2 (default: 1)'],
    ['--out <folder>', 'Where bugs.json goes (default: .iovcheck)'],
    ['--list', 'List the defects, and where they shipped'],
  ],
  examples: ['bugs', 'bugs --list', 'bugs --area caches --seeds 20 --jobs 2', 'bugs record-type-constant --seed 7'],
  hidden: true,
  run,
};

function areas(): readonly string[] {
  return [...new Set(DEFECTS.map(({ area }) => area))];
}

/** The defects of those names and that area. */
function select({ args, flags }: Invocation): readonly Defect[] {
  const area = textFlag(flags, 'area');
  if (area !== undefined) named('area', area, areas(), (each) => each);
  const byName = args.map((id) => named('defect', id, DEFECTS, (defect) => defect.id));
  const chosen = (args.length === 0 ? DEFECTS : [...new Set(byName)]).filter(
    (defect) => area === undefined || defect.area === area,
  );
  if (chosen.length === 0) throw new UsageError(`no run: none of the defects named is of the area "${area}"`);
  return chosen;
}

async function run(invocation: Invocation): Promise<number> {
  const { io, world, flags } = invocation;
  const defects = select(invocation);
  if (flags['list'] === true) {
    io.stdout.write(`${draw(listTable(defects), io)}\n`);
    return 0;
  }
  const count = wholeFlag(flags, 'seeds', 1, MOST_SEEDS) ?? USUAL_SEEDS;
  const first = wholeFlag(flags, 'seed', 0, 0xffff_ffff) ?? Math.floor(Math.random() * 0x1_0000_0000);
  const cases = wholeFlag(flags, 'cases', 1, Number.MAX_SAFE_INTEGER) ?? USUAL_CASES;
  const shrinkSeconds = wholeFlag(flags, 'shrink', 0, 3600) ?? USUAL_SHRINK_SECONDS;
  const jobs = wholeFlag(flags, 'jobs', 1, 2) ?? 1;
  const file = join(resolve(io.cwd, textFlag(flags, 'out') ?? '.iovcheck'), 'bugs.json');
  checkSources(world.root);
  const seeds = Array.from({ length: count }, (_, n) => first + n);
  io.stdout.write(`${defects.length} defects, seeds ${first} to ${first + count - 1}, at most ${cases} cases each\n`);
  const progress = new BugsProgress(io.stderr, defects.length, count);
  const stop = new AbortController();
  const stopListening = io.onInterrupt(() => stop.abort());
  const begun = performance.now();
  let results: readonly DefectResult[];
  try {
    results = await runHunters({
      root: world.root,
      defects,
      seeds,
      cases,
      shrinkSeconds,
      jobs,
      signal: stop.signal,
      onMessage: (defect, message) => progress.heard(defect, message),
      onDone: (result) => progress.done(result),
    });
  } finally {
    stopListening();
    progress.clear();
  }
  const seconds = (performance.now() - begun) / 1000;
  writeAtomically(file, encodeBugs({ seed: first, cases, seconds, interrupted: stop.signal.aborted, results }));
  io.stdout.write(`${textOf(results, io)}\n\nwritten: ${relative(io.cwd, file) || file}\n`);
  const { runs, share } = totalOf(results);
  if (runs === 0) throw new UsageError('no run: nothing was executed');
  return stop.signal.aborted || share < ENOUGH ? 1 : 0;
}

/** Defects are planted in the sources, and everything else is what was built from them. */
function checkSources(root: string): void {
  if (!existsSync(join(root, 'src/engine')) || !existsSync(join(root, 'node_modules/typescript'))) {
    throw new UsageError(`bugs: ${root} is no checkout of the sources with its development packages`);
  }
  const newer = newerSource(root);
  if (newer !== undefined) throw new UsageError(`bugs: ${newer} is newer than what was built: run npm run build`);
}

function draw(table: TableData, io: Io): string {
  return drawTable(table, { colour: wantsColour(io, io.stdout), width: widthOf(io.stdout) });
}

function listTable(defects: readonly Defect[]): TableData {
  return {
    title: 'Defects',
    head: ['defect', 'area', 'row', 'shipped in', 'what is planted'],
    numeric: [2],
    rows: defects.map(({ id, area, shipped, plants }) => [id, area, String(shipped.row), shipped.link, plants]),
  };
}

function resultTable(results: readonly DefectResult[]): TableData {
  return {
    title: 'Bugs that shipped',
    head: ['defect', 'area', 'row', 'found', 'property', 'clause', 'cases', 'seconds', 'shrunk to'],
    numeric: [2, 3, 6, 7, 8],
    rows: results
      .map(lineOf)
      .map((line) => [
        line.id,
        line.area,
        String(line.row),
        `${line.found} of ${line.runs}`,
        line.property,
        line.clause,
        ...(line.found === 0 ? ['-', '-'] : [String(line.cases), line.seconds.toFixed(1)]),
        line.operations === undefined ? '-' : String(line.operations),
      ]),
  };
}

function textOf(results: readonly DefectResult[], io: Io): string {
  const { runs, found, share } = totalOf(results);
  const missed = survivors(results).map(({ defect, seed, shape, cases, trouble }) => {
    const why = trouble === undefined ? `not found in ${cases} cases` : trouble.split('\n', 1)[0];
    return `SURVIVED ${defect}, seed ${seed}, shape ${shape}: ${why}`;
  });
  const percent = (share * 100).toFixed(1);
  const least = `at least ${ENOUGH * 100}% must`;
  const total = `${found} of ${runs} runs found their defect (${percent}%; ${least}); cases and seconds are medians`;
  return [draw(resultTable(results), io), ...(missed.length === 0 ? [] : [missed.join('\n')]), total].join('\n\n');
}
