/** A thread that runs cases for a campaign, with a target of its own. Loaded by the pool, by the names of its exports. */
import { threadId, workerData } from 'node:worker_threads';
import { type Target, TargetUnavailable } from '../../../spec/interface/target.js';
import { CannotWrite } from '../../formats/index.js';
import { CaseBench, CaseMaker, certainClauses, InFlight, matchKnown } from '../../harness/index.js';
import { defaultWorld } from '../default-world.js';
import type { JobData, JobOutcome, JobTask } from './task.js';

/** A target with the cases that can be run on it, for one variant. */
interface Place {
  readonly variant: number;
  readonly target: Target;
  readonly bench: CaseBench;
  readonly inFlight: InFlight;
}

/** The variant under way; a thread has one target at a time. */
const held: { place?: Place } = {};

/** What the pool gave to all its threads; the pool's own data comes before it. */
function givenData(): JobData {
  const [, data] = workerData as readonly [unknown, JobData];
  return data;
}

async function placeFor({ variant, options }: JobTask): Promise<Place> {
  if (held.place?.variant === variant) return held.place;
  await close();
  const data = givenData();
  const world = defaultWorld();
  const kind = world.targets.find(({ id }) => id === data.kind);
  if (kind === undefined) throw new Error(`no target "${data.kind}"`);
  const target = kind.create(options);
  try {
    const profile = await target.describe();
    const properties = world.properties.filter(({ id }) => data.properties.includes(id));
    const makers = new Map(properties.map((property) => [property.id, new CaseMaker(property, profile)]));
    const known = matchKnown(data.known, profile.implementation);
    const caseOptions = {
      judge: world.judge,
      known,
      profile,
      certain: certainClauses(world.catalogue),
      drive: world.drive,
    };
    const inFlight = new InFlight(data.out, target.id, profile, jobNumber());
    const bench = new CaseBench({ target, makers, options: caseOptions, inFlight, now: () => performance.now() });
    held.place = { variant, target, bench, inFlight };
    return held.place;
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** Numbers that threads take over from those that ended, so that there are as many files as jobs. */
function jobNumber(): number {
  return process.__tinypool_state__?.workerId ?? threadId;
}

/** Runs a few cases. */
export async function run(task: JobTask): Promise<JobOutcome> {
  try {
    const { bench } = await placeFor(task);
    return await bench.run(task.origins);
  } catch (error) {
    if (error instanceof CannotWrite) return { hindrance: 'cannot write', message: error.message, hint: '' };
    if (!(error instanceof TargetUnavailable)) throw error;
    return { hindrance: 'no target', message: error.message, hint: error.hint };
  }
}

/** Ends the target, and the file of the case in flight with it. */
export async function close(): Promise<void> {
  const { place } = held;
  delete held.place;
  if (place === undefined) return;
  place.inFlight.close(true);
  await place.target.close();
}
