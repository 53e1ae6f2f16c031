import { CacheInvalidation } from './cache-invalidation.js';
import type { Caches } from './caches.js';
import type { Capabilities } from './capabilities.js';
import type { MessageSink } from './events.js';
import { FaultLog } from './faults.js';
import type { Found } from './found.js';
import { Iotlb } from './iotlb.js';
import { AT_ONCE, type Pace } from './pace.js';
import { RegisterFile } from './registers.js';

/** Makes the parts in which units may differ. */
export interface UnitParts {
  readonly pace: Pace;
  /** Brings what the parts share among each other to its beginning. */
  reset(scope: 'warm' | 'cold'): void;
  registers(capabilities: Capabilities): RegisterFile;
  faults(registers: RegisterFile, capabilities: Capabilities, sendMessage: MessageSink): FaultLog;
  iotlb(size: number, zeroLengthReads: boolean, found: Found): Iotlb;
  invalidation(caches: Caches, capabilities: Capabilities): CacheInvalidation;
}

/** Those of a unit that does all at once. */
export const ORDINARY_PARTS: UnitParts = {
  pace: AT_ONCE,
  reset: () => {},
  registers: (capabilities) => new RegisterFile(capabilities),
  faults: (registers, capabilities, sendMessage) => new FaultLog(registers, capabilities, sendMessage),
  iotlb: (size, zeroLengthReads, found) => new Iotlb(size, zeroLengthReads, found),
  invalidation: (caches, capabilities) => new CacheInvalidation(caches, capabilities),
};
