/**
 * iovcheck as a library: judge histories, run properties and campaigns on targets, read and write the formats.
 */

export { properties } from '../properties/index.js';
export { catalog } from '../spec/catalog/index.js';
export type * from '../spec/interface/judgement.js';
export type * from '../spec/interface/observations.js';
export type * from '../spec/interface/operations.js';
export type * from '../spec/interface/profile.js';
export type * from '../spec/interface/scenario.js';
export {
  type BatchOptions,
  type BatchResult,
  type LateData,
  type Target,
  TargetUnavailable,
} from '../spec/interface/target.js';
export {
  BadInput,
  CannotWrite,
  type ComponentCheck,
  decodeCase,
  decodeReport,
  decodeTrace,
  encodeCase,
  encodeKnown,
  encodeReport,
  encodeTrace,
  type KnownList,
  operationProblems,
  profileProblems,
  type Report,
  type ReportRun,
  type RunVerdict,
  readCase,
  readKnown,
  reportJsonSchema,
  stepProblems,
} from './formats/index.js';
export * from './harness/index.js';
export { BadHistory, type JudgeOptions, judge } from './judge/index.js';
export { buildReport, type JudgedRun, renderMarkdown, renderTerminal, writeReport } from './report/index.js';
export { createEngineTarget, type EngineTargetOptions } from './targets/engine.js';
export { probeQemu, type QemuFound } from './targets/qemu/probe.js';
export { createQemuTarget, type QemuOptions, type QemuTarget } from './targets/qemu/target.js';
