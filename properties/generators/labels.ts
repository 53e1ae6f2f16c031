import type { Platform } from './capabilities.js';

/** Labels of the judgement for leaves at levels 1, 2 and 3. */
export const PAGE_LABELS = ['page:4K', 'page:2M', 'page:1G'] as const;

/** Label of the judgement for a recorded reason. */
export function faultLabel(reason: number): string {
  return `fault:${reason.toString(16).toUpperCase()}h`;
}

/** Reasons that a request in legacy mode can be refused for on this platform. */
export function reachableReasons(platform: Platform): number[] {
  // Unreadable structures need a place where nothing answers.
  const unreadable = platform.hole === undefined ? [] : [0x7, 0x8, 0x9];
  return [0x1, 0x2, 0x3, 0x4, 0x5, 0x6, ...unreadable, 0xa, 0xb, 0xc, 0xe, 0x29, 0x30];
}
