/**
 * A process of its own for one defect. What it imports at the top must not lead to the sources in which defects are
 * planted: they are loaded once the defect is in them.
 */
import { setImmediate } from 'node:timers/promises';
import type { HuntMessage, HuntRequest } from './outcome.js';
import { isPlanted, plant } from './plant.js';

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 500;

/** Sends a message, and waits until it is under way. */
function tell(message: HuntMessage): Promise<void> {
  return new Promise((done) => {
    process.send?.(message, () => done());
  });
}

/** Plants the defect, loads what is needed after that, runs the seeds one after the other, and shrinks the shortest case. */
async function run({ root, defect, seeds, cases, shrinkSeconds }: HuntRequest): Promise<void> {
  plant(root, defect);
  const [{ defaultWorld }, { createEngineTarget }, { certainClauses }, { hunt, shrunkFrom }] = await Promise.all([
    import('../cli/default-world.js'),
    import('../targets/engine.js'),
    import('../harness/index.js'),
    import('./hunt.js'),
  ]);
  if (!isPlanted(defect)) throw new Error(`defect ${defect.id}: ${defect.file} was not loaded with the defect in it`);
  const { properties, catalogue, judge } = defaultWorld();
  const options = { judge, certain: certainClauses(catalogue) };
  let shrinkShortest: { readonly operations: number; shrink(): ReturnType<typeof shrunkFrom> } | undefined;
  for (const seed of seeds) {
    const shape = defect.shapes[seed % defect.shapes.length]!;
    let told = performance.now();
    const onCase = async (done: number): Promise<void> => {
      if (performance.now() - told < REPORT_EVERY) return;
      told = performance.now();
      await tell({ kind: 'progress', seed, cases: done });
      await setImmediate();
    };
    const create = () => createEngineTarget({ shape });
    const asked = { defect: defect.id, shape, seed, properties, options, create, cases, onCase };
    const { outcome, shown } = await hunt(asked);
    await tell({ kind: 'outcome', outcome });
    const operations = outcome.found?.operations ?? Number.POSITIVE_INFINITY;
    if (shown !== undefined && operations < (shrinkShortest?.operations ?? Number.POSITIVE_INFINITY)) {
      shrinkShortest = { operations, shrink: () => shrunkFrom(asked, shown, shrinkSeconds) };
    }
  }
  if (shrinkShortest !== undefined && shrinkSeconds > 0) {
    await tell({ kind: 'shrunk', shrunk: await shrinkShortest.shrink() });
  }
}

process.once('message', (request: HuntRequest) => {
  run(request)
    .catch((error: unknown) =>
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => process.disconnect());
});
