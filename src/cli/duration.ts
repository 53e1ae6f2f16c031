import { UsageError } from './usage.js';

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/**
 * Seconds of a duration like "500ms", "30s", "1.5m" or "2h".
 *
 * @throws UsageError naming the flag
 */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * UNITS[match[2]!]!;
  if (seconds > 0) return seconds;
  throw new UsageError(`${flag}: expected a duration above 0 like 500ms, 30s or 5m, got "${text}"`);
}

/** "1:05" or "2:00:07". */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
