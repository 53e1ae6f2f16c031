/** Defects that shipped elsewhere, planted here one at a time, to see that the properties find them. */
export { newerSource } from './build-age.js';
export type { Area, Defect, Shipped } from './defect.js';
export { type DefectResult, type HuntersOptions, runHunters } from './hunters.js';
export { DEFECTS } from './list.js';
export type { HuntMessage, Outcome, Shrunk } from './outcome.js';
export { type DefectLine, ENOUGH, lineOf, survivors, type Total, totalOf } from './summary.js';
