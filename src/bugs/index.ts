/** Defects that shipped elsewhere, planted here one at a time, to see that the properties find them. */
export { newerSource } from './build-age.js';
export type { Defect } from './defect.js';
export { encodeBugs } from './encode.js';
export { type DefectResult, runHunters } from './hunters.js';
export { DEFECTS } from './list.js';
export type { HuntMessage } from './outcome.js';
export { ENOUGH, lineOf, survivors, totalOf } from './summary.js';
