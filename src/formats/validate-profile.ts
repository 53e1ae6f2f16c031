import type { Component, MemoryRegion, Profile } from '../../spec/interface/profile.js';
import { FRAME_BYTES, TOKEN_BYTES } from '../../spec/layout/tokens.js';
import { type Problem, show } from './bad-input.js';

/** What an architecture says of a component that cannot be, or `undefined` when it can. One line, "expected …, got …". */
export type ComponentCheck = (name: string, component: Component, profile: Profile) => string | undefined;

/** Tokens and read slots are told apart by one byte, requesters by four bits (see layout/tokens). */
const MOST_TOKENS = 256;
const MOST_REQUESTERS = 16;
const ADDRESS_SPACE = 1n << 64n;

/** Everything that a profile promises and cannot hold; empty for a sound one. */
export function profileProblems(profile: Profile, checkComponent?: ComponentCheck): Problem[] {
  return [
    ...componentProblems(profile, checkComponent),
    ...requesterProblems(profile),
    ...memoryProblems(profile.memory),
    ...arenaProblems(profile),
    ...limitProblems(profile),
  ];
}

function componentProblems(profile: Profile, check: ComponentCheck | undefined): Problem[] {
  return Object.entries(profile.components).flatMap(([name, component]) => {
    const message = check?.(name, component, profile);
    return message === undefined ? [] : [{ path: ['components', name], message }];
  });
}

function requesterProblems(profile: Profile): Problem[] {
  const problems: Problem[] = [];
  const { requesters } = profile;
  if (requesters.length > MOST_REQUESTERS) {
    problems.push({
      path: ['requesters'],
      message: `expected at most ${MOST_REQUESTERS} requesters, got ${requesters.length}`,
    });
  }
  requesters.forEach((requester, index) => {
    const path = ['requesters', index];
    const before = requesters.slice(0, index);
    if (before.some((other) => other.id === requester.id)) {
      problems.push({ path: [...path, 'id'], message: `expected an id of its own, got ${show(requester.id)} again` });
    }
    if (before.some((other) => other.routingId === requester.routingId)) {
      const found = `got 0x${requester.routingId.toString(16)} again`;
      problems.push({ path: [...path, 'routingId'], message: `expected a routing ID of its own, ${found}` });
    }
    if (!Object.hasOwn(profile.components, requester.component)) {
      const known = Object.keys(profile.components).join(', ');
      problems.push({
        path: [...path, 'component'],
        message: `expected a component of the profile (${known}), got ${show(requester.component)}`,
      });
    }
  });
  return problems;
}

function endOf(region: MemoryRegion): bigint {
  return region.base + region.bytes;
}

function memoryProblems(memory: readonly MemoryRegion[]): Problem[] {
  const problems: Problem[] = [];
  memory.forEach((region, index) => {
    const path = ['memory', index];
    if (region.bytes === 0n) problems.push({ path: [...path, 'bytes'], message: 'expected a size above 0, got 0x0' });
    if (endOf(region) > ADDRESS_SPACE) {
      problems.push({ path, message: `expected an end within 64 bits, got ${show(endOf(region))}` });
    }
    const other = memory.findIndex((before, place) => place < index && overlap(before, region));
    if (other >= 0) {
      const range = `${show(region.base)}..${show(endOf(region) - 1n)}`;
      problems.push({ path, message: `expected regions apart, got ${range} overlapping memory[${other}]` });
    }
  });
  return problems;
}

function overlap(one: MemoryRegion, two: MemoryRegion): boolean {
  return one.base < endOf(two) && two.base < endOf(one);
}

function arenaProblems(profile: Profile): Problem[] {
  const { base, bytes } = profile.arena;
  const frame = BigInt(FRAME_BYTES);
  const problems: Problem[] = [];
  if (base % frame !== 0n) {
    problems.push({ path: ['arena', 'base'], message: `expected a multiple of ${FRAME_BYTES}, got ${show(base)}` });
  }
  if (bytes % FRAME_BYTES !== 0) {
    problems.push({ path: ['arena', 'bytes'], message: `expected a multiple of ${FRAME_BYTES}, got ${bytes}` });
  }
  const end = base + BigInt(bytes);
  const inside = profile.memory.some((region) => region.kind === 'ram' && base >= region.base && end <= endOf(region));
  if (!inside) {
    const range = `${show(base)}..${show(end - 1n)}`;
    problems.push({ path: ['arena'], message: `expected to lie inside one ram region, got ${range}` });
  }
  return problems;
}

function limitProblems(profile: Profile): Problem[] {
  const { tokens, dmaBytes } = profile.limits;
  const problems: Problem[] = [];
  if (tokens > MOST_TOKENS) {
    problems.push({ path: ['limits', 'tokens'], message: `expected at most ${MOST_TOKENS}, got ${tokens}` });
  }
  if (dmaBytes > TOKEN_BYTES) {
    problems.push({ path: ['limits', 'dmaBytes'], message: `expected at most ${TOKEN_BYTES}, got ${dmaBytes}` });
  }
  return problems;
}
