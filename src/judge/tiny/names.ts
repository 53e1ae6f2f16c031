import {
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  CONTEXT,
  domainOf,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  PLACES,
  ROOT,
  SUPERPAGE,
  SUPERPAGE_FRAME,
  type TinyOperation,
  type TinyWorld,
  treeOf,
} from './world.js';

/** Tiny worlds in words, for people. */

const RIGHTS = ['-', 'R', 'W', 'RW'] as const;
const LEVEL2_NAMES = ['A2', 'B2', 'C2', '2M page'] as const;
const LEVEL1_NAMES = ['A1', 'B1', 'C1'] as const;

export function rightsName(rights: number): string {
  return RIGHTS[rights & 3]!;
}

/** "A2" to "C2". */
export function level2Name(table: number): string {
  return LEVEL2_NAMES[table]!;
}

/** "A1" to "C1", or that it is a 2 MiB page. */
export function level1Name(table: number): string {
  return table === SUPERPAGE ? '2M page' : LEVEL1_NAMES[table]!;
}

export function frameName(frame: number): string {
  return frame === SUPERPAGE_FRAME ? 'frame of the 2M page' : `frame F${frame}`;
}

export function contextName(value: number): string {
  return value === 0 ? 'not present' : `domain ${domainOf(value) + 1}, table ${treeOf(value) === 0 ? 'A3' : 'B3'}`;
}

/** Where an entry lies. */
export function placeName(place: number): string {
  if (place === ROOT) return 'root entry';
  if (place < LEVEL3) return `context entry of r${(place - CONTEXT) & 1} in table K${(place - CONTEXT) >> 1}`;
  if (place < LEVEL2) return `entry of ${place === LEVEL3 ? 'A3' : 'B3'}`;
  if (place < LEVEL1) return `entry of ${level2Name((place - LEVEL2) >> 1)} for region ${(place - LEVEL2) & 1}`;
  return `entry of ${level1Name((place - LEVEL1) >> 1)} for page ${(place - LEVEL1) & 1}`;
}

/** What an entry says. */
export function valueName(place: number, value: number): string {
  if (place === ROOT) return value === 0 ? 'not present' : `table K${value - 1}`;
  if (place < LEVEL3) return contextName(value);
  if ((value & 3) === 0) return 'not present';
  const target = value >> 2;
  const name = place < LEVEL2 ? level2Name(target) : place < LEVEL1 ? level1Name(target) : `F${target}`;
  return `${name} ${rightsName(value)}`;
}

export function invalidationName(invalidation: Invalidation): string {
  const { cache, scope, domain } = invalidation;
  if (scope === 'global') return `${cache} global`;
  if (scope === 'domain') return `${cache} domain ${domain + 1}`;
  if (cache === 'context') {
    return `context device r${invalidation.requester} FM=${invalidation.functionMask} domain ${domain + 1}`;
  }
  const { page, wide, keepUpper } = invalidation;
  return `iotlb page ${page} AM=${wide ? 9 : 0} IH=${keepUpper ? 1 : 0} domain ${domain + 1}`;
}

export function operationName(operation: TinyOperation): string {
  switch (operation.op) {
    case 'change':
      return `${placeName(operation.place)} := ${valueName(operation.place, operation.value)}`;
    case 'submit':
      return `submit ${invalidationName(operation.invalidation)}`;
    case 'observe':
      return 'see everything submitted complete';
    case 'request':
      return `r${operation.requester} ${operation.access}s page ${operation.page}`;
  }
}

export function outcomeName(outcome: number): string {
  switch (outcome) {
    case BLOCKED_BY_PAGING:
      return 'blocked';
    case BLOCKED_BY_CONTEXT:
      return 'blocked at the context entry';
    case BLOCKED_BY_ROOT:
      return 'blocked at the root entry';
    default:
      return frameName(outcome);
  }
}

/** A world with the outcomes of its first requests, one line each. */
export function storyOf(world: TinyWorld, outcomes: readonly number[] = []): readonly string[] {
  const lines = [
    `world ${world.seed}: invalidations through ${world.through}, pages in ${world.sameRegion ? 'one region' : 'two regions'}`,
  ];
  for (let place = 0; place < PLACES; place++) {
    const present = place < LEVEL3 ? world.memory[place] !== 0 : (world.memory[place]! & 3) !== 0;
    if (present) lines.push(`  at first: ${placeName(place)} = ${valueName(place, world.memory[place]!)}`);
  }
  let request = 0;
  world.operations.forEach((operation, at) => {
    const outcome = operation.op === 'request' ? outcomes[request++] : undefined;
    lines.push(`  ${at}: ${operationName(operation)}${outcome === undefined ? '' : ` → ${outcomeName(outcome)}`}`);
  });
  return lines;
}
