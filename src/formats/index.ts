/** The formats: what is stored, how it is read, and one clear message for what cannot be read. */
export { BadInput, pathText } from './bad-input.js';
export { decodeCase, encodeCase, readCase } from './case.js';
export {
  CannotWrite,
  cannotWrite,
  claimFolder,
  ensureWritable,
  fileTrouble,
  makeFolder,
  readText,
  removeLeftovers,
  writeAtomically,
} from './files.js';
export { decodeReplayable, type Replayable } from './in-flight.js';
export { encodeKnown, type KnownList, readKnown } from './known.js';
export {
  decodeReport,
  encodeReport,
  type Report,
  type ReportRun,
  type RunVerdict,
  reportJsonSchema,
} from './report.js';
export { decodeTrace, encodeTrace } from './trace.js';
export { firstLie, stepProblems } from './validate-history.js';
export { operationProblems } from './validate-operations.js';
export { type ComponentCheck, profileProblems } from './validate-profile.js';
