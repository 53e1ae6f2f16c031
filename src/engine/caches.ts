import { ContextCache, RootCache } from './context-cache.js';
import type { Iotlb } from './iotlb.js';
import type { CacheSizes } from './shapes.js';
import { StructureCache } from './structure-cache.js';

/** Everything that a unit remembers of the tables. */
export interface Caches {
  readonly roots: RootCache;
  readonly contexts: ContextCache;
  readonly structures: StructureCache;
  readonly iotlb: Iotlb;
}

/** Empty caches of these sizes around an IOTLB. */
export function createCaches({ root, context, structure }: CacheSizes, iotlb: Iotlb): Caches {
  return {
    roots: new RootCache(root),
    contexts: new ContextCache(context),
    structures: new StructureCache(structure),
    iotlb,
  };
}
