import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { FindingIdentity } from '../../spec/interface/judgement.js';
import { writeAtomically } from '../formats/index.js';
import type { CampaignDependencies } from './dependencies.js';
import { identityKey, sameIdentity } from './identity.js';
import type { CaseOrigin, StoredCase } from './types.js';

type Codec = Pick<CampaignDependencies, 'encodeCase' | 'decodeCase'>;

/** Name of a finding's case: clause, kind and a hash of the identity; letters, digits, "-", "_" and "." only. */
export function caseId(identity: FindingIdentity): string {
  const hash = createHash('sha256').update(identityKey(identity)).digest('hex').slice(0, 10);
  return `${identity.clause}-${identity.kind}`.replace(/[^A-Za-z0-9._-]+/g, '-').concat('-', hash);
}

function identityIn(file: string, codec: Codec): FindingIdentity | undefined {
  try {
    return codec.decodeCase(readFileSync(file, 'utf8'), file).identity;
  } catch {
    // Not a case we can read: somebody else's file, which we leave alone.
    return undefined;
  }
}

/** The id and path under which an identity is kept in a folder, stepping aside for files that hold something else. */
export function placeFor(folder: string, identity: FindingIdentity, codec: Codec): { id: string; file: string } {
  const base = caseId(identity);
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? base : `${base}-${n}`;
    const file = join(folder, `${id}.json`);
    const held = existsSync(file) ? identityIn(file, codec) : identity;
    if (held !== undefined && sameIdentity(held, identity)) return { id, file };
  }
}

/**
 * Keeps a case in a folder (made when missing), never over a file that holds anything but a case of the same identity,
 * and over that only with `replace`. Gives the file's path.
 */
export function storeCase(folder: string, stored: Omit<StoredCase, 'id'>, codec: Codec, replace: boolean): string {
  const { id, file } = placeFor(folder, stored.identity, codec);
  if (replace || !existsSync(file)) writeAtomically(file, codec.encodeCase({ ...stored, id }));
  return file;
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The command that runs a stored case, on the target it names by itself or on another; the path is relative when the file is below `cwd`. */
export function replayCommand(file: string, target: string | undefined, cwd: string): string {
  const path = relative(cwd, file);
  const shown = path.startsWith('..') || isAbsolute(path) ? file : path;
  return `npx iovcheck replay ${quoted(shown)}${target === undefined ? '' : ` --target ${quoted(target)}`}`;
}

/** The command that makes the run again in which a case was made. */
export function rerunCommand({ property, seed }: CaseOrigin, target: string): string {
  return `npx iovcheck run ${quoted(property)} --target ${quoted(target)} --seed ${seed}`;
}
