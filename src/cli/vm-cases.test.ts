import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { History, SoftwareEvent, Stimulus, StimulusScenario } from '../../spec/interface/scenario.js';
import { encodeCase, encodeTrace } from '../formats/index.js';
import { FORMAT_VERSION, type StoredCase } from '../harness/index.js';
import { driveHypervisor, SOFTWARE } from '../hypervisor/drive.js';
import { createEngineTarget } from '../targets/engine.js';
import { runCli } from './testing.js';

const stimulus = (actor: string, action: string, given: Stimulus['arguments'] = {}): Stimulus => ({
  actor,
  action,
  arguments: given,
});

/** An interrupt of an assigned function, and two tries of its vCPU to take it. */
const SCENARIO: StimulusScenario = {
  level: 'stimuli',
  start: 'ready',
  software: { name: SOFTWARE, configuration: {} },
  stimuli: [
    stimulus('vm0', 'attach', { function: 'edu0', vcpu: 0, vector: 0x31 }),
    stimulus('edu0', 'signal'),
    stimulus('vm0.vcpu0', 'accept'),
    stimulus('vm0', 'map', { page: 1 }),
    stimulus('edu0', 'write', { page: 1, offset: 0, bytes: 16, token: 0 }),
  ],
  schedule: [],
};

let folder: string;
let history: History;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-vms-'));
  const target = createEngineTarget({ shape: '48-1g' });
  const profile = await target.describe();
  await target.begin('ready');
  history = { profile, start: 'ready', ...(await driveHypervisor(SCENARIO, target, profile)) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The history with its events changed. */
function withEvents(change: (event: SoftwareEvent) => SoftwareEvent): History {
  const software = history.software!;
  return { ...history, software: { ...software, events: software.events.map(change) } };
}

function trace(name: string, changed: History): string {
  const file = join(folder, name);
  writeFileSync(file, encodeTrace(changed));
  return file;
}

function stored(name: string, scenario: StimulusScenario): string {
  const { profile } = history;
  const case_: StoredCase = {
    format: 'iovcheck-case',
    version: FORMAT_VERSION,
    id: name,
    property: 'delivery',
    identity: { clause: 'HV-DLV-001', kind: 'promise-broken', discriminator: 'event lost' },
    profile,
    scenario,
    expected: 'vm0.vcpu0 gets vector 0x31',
    observed: 'it gets no interrupt',
    origin: { seed: 1, index: 0, sweep: false },
    tool: { name: 'iovcheck', version: '0' },
    target: { id: 'engine', implementation: profile.implementation },
    history,
  };
  const file = join(folder, `${name}.json`);
  writeFileSync(file, encodeCase(case_));
  return file;
}

describe('a record of software under test', () => {
  it('is judged from a trace at both levels', async () => {
    const good = await runCli(['judge', trace('good.jsonl', history)]);
    expect([good.code, good.err]).toEqual([0, '']);
    const unanswered = (event: SoftwareEvent): SoftwareEvent =>
      event.kind === 'answered' && event.id === 2 ? { ...event, answer: {} } : event;
    const bad = await runCli(['judge', trace('bad.jsonl', withEvents(unanswered))]);
    expect(bad.code).toBe(1);
    expect(bad.out).toContain('HV-DLV-001 promise-broken: event lost');
    expect(bad.out).toContain('== [1] edu0 signal');
  });

  it('that names another frame than the tables do is deviant', async () => {
    const elsewhere = (event: SoftwareEvent): SoftwareEvent =>
      event.kind === 'answered' && event.id === 3 ? { ...event, answer: { frame: 0x0405_f000n } } : event;
    const { code, out } = await runCli(['judge', trace('frame.jsonl', withEvents(elsewhere))]);
    expect([code, out.includes('HV-ISO-002')]).toEqual([1, true]);
  });

  it('that contradicts itself is refused with its place', async () => {
    const late = (event: SoftwareEvent): SoftwareEvent => (event.kind === 'rest' ? { ...event, at: 999 } : event);
    const { code, err } = await runCli(['judge', trace('late.jsonl', withEvents(late))]);
    expect(code).toBe(64);
    expect(err).toMatch(/late\.jsonl:1: software\.events\[0\]\.at: expected at most \d+, the operations, got 999/);
  });
});

describe('a stored case of stimuli', () => {
  it('is run again, and told with what was asked and answered', async () => {
    const { code, out } = await runCli(['replay', stored('case', SCENARIO)]);
    expect(out).toContain('== [0] vm0 attach function=edu0 vcpu=0 vector=0x31');
    expect(out).toContain('[4] ');
    expect(code).toBe(0);
  });

  it.each([
    [
      'a stimulus that means nothing',
      { stimuli: [stimulus('vm0', 'fly')] },
      'expected map, unmap, remap, attach or detach',
    ],
    ['software that is not there', { software: { name: 'other', configuration: {} } }, 'the scenario is for "other"'],
  ])('with %s is refused in one line', async (name, change, message) => {
    const { code, err } = await runCli(['replay', stored(name.replaceAll(' ', '-'), { ...SCENARIO, ...change })]);
    expect(code).toBe(64);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(message);
  });
});
