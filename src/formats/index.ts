/** The formats: what is stored, how it is read, and one clear message for what cannot be read. */
export { BadInput } from './bad-input.js';
export { decodeCase, encodeCase, readCase } from './case.js';
export { CannotWrite, ensureWritable, fileTrouble, readText, writeAtomically } from './files.js';
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
export { stepProblems } from './validate-history.js';
export { operationProblems } from './validate-operations.js';
export { type ComponentCheck, profileProblems } from './validate-profile.js';
