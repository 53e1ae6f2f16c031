/**
 * A VT-d DMA-remapping unit for emulators: build a `PhysicalMemory` and, with `createUnit`, a unit over it, map
 * `unit.registers` into the guest's address space, and let devices read and write through a `DmaPort`, or ask
 * `unit.translate` for each page.
 */

export { ACCESS, type Access } from './access.js';
export { createUnit } from './create.js';
export { DmaPort } from './dma.js';
export { type MessageSink, SOURCE_UNIT } from './events.js';
export { MsiFunction } from './function.js';
export { PhysicalMemory, type RamRegion } from './memory.js';
export {
  type CacheSizes,
  DEFAULT_SHAPE,
  isShapeName,
  NO_CACHES,
  SHAPE_NAMES,
  type Shape,
  type ShapeName,
  shapeOf,
} from './shapes.js';
export { OUTCOME, RemappingUnit, type UnitOptions } from './unit.js';
