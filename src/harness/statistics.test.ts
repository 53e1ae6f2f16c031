import { describe, expect, it } from 'vitest';
import { lowerTail } from './binomial.js';
import { runCampaign } from './campaign.js';
import { caseId, replayCommand } from './corpus.js';
import { clause, dependencies, FakeTarget, fakeProperty, knownEntry, PROFILE, temporaryFolder } from './fake.js';
import { certainClauses, identityKey, sameIdentity } from './identity.js';
import { matchKnown } from './known.js';
import { clauseLines, labelShares, shareVerdict } from './statistics.js';
import type { CampaignResult, FoundDeviation } from './types.js';
import { verdictOf } from './verdict.js';

describe('lowerTail', () => {
  it('agrees with sums done by hand', () => {
    expect(lowerTail(0, 10, 0.3)).toBeCloseTo(0.7 ** 10, 12);
    expect(lowerTail(2, 20, 0.25)).toBeCloseTo(0.75 ** 20 + 20 * 0.25 * 0.75 ** 19 + 190 * 0.0625 * 0.75 ** 18, 10);
    // Summed with another program's log-gamma.
    expect(lowerTail(4799, 100_000, 0.05)).toBeCloseTo(0.00171838, 8);
    expect(lowerTail(40, 1_000_000, 0.01)).toBe(0);
    expect(lowerTail(5, 10, 0.3)).toBe(1);
  });
});

describe('shareVerdict', () => {
  it('says low only when it is sure, and too few while it could never be', () => {
    expect(shareVerdict(0, 0.05, 134)).toBe('too few');
    expect(shareVerdict(0, 0.05, 135)).toBe('low');
    expect(shareVerdict(0.04, 0.05, 1000)).toBe('ok');
    expect(shareVerdict(0.05, 0.05, 3)).toBe('ok');
    expect(shareVerdict(0, 0, 0)).toBe('too few');
    expect(shareVerdict(0.04, 0.05, 100_000)).toBe('low');
    expect(shareVerdict(0.06, 0.05, 100_000)).toBe('ok');
    expect(shareVerdict(1.5, 1, 1000)).toBe('ok');
    expect(shareVerdict(0, 0, 1000)).toBe('ok');
  });

  it('is shown per property against its device requests', () => {
    const property = fakeProperty({ minimumShares: () => ({ read: 0.5, rare: 0.2 }) });
    const labels = new Map([['read', 300]]);
    const tally = { cases: 120, swept: 9, inconclusive: 0, requests: 400, casesWithRequests: 100, labels };
    expect(labelShares(property, PROFILE, tally)).toEqual([
      { property: 'fake-property', label: 'read', count: 300, of: 400, minimum: 0.5, verdict: 'ok' },
      { property: 'fake-property', label: 'rare', count: 0, of: 400, minimum: 0.2, verdict: 'low' },
    ]);
  });

  it('counts labels of the judgement and of the generator, in random cases only', async () => {
    const sweep = { size: 50, at: () => fakeProperty().build(PROFILE, []) };
    const property = fakeProperty({ minimumShares: () => ({ read: 1, made: 1 }), sweep: () => sweep });
    const options = { seed: 1, cases: 40, out: temporaryFolder(), known: [], stored: [] };
    const { labels } = await runCampaign(new FakeTarget(), [property], options, dependencies());
    const [read, made] = labels;
    expect(read!.count).toBe(read!.of);
    expect(read!.of).toBeGreaterThan(20);
    expect(made!.count).toBeGreaterThan(made!.of);
  });
});

describe('clause lines', () => {
  const tally = (inconclusive: number) => ({
    cases: 100,
    swept: 0,
    inconclusive,
    requests: 0,
    casesWithRequests: 0,
    labels: new Map<string, number>(),
  });
  const line = (applicable: boolean, inconclusive: number, applies = true) =>
    clauseLines({
      catalogue: [clause('C-6'), clause('C-7')],
      clauses: new Map(),
      deviations: [],
      stale: [],
      properties: [{ property: fakeProperty({ clauses: ['C-6'] }), applicable, tally: tally(inconclusive) }],
      applies: () => applies,
    });

  it('tell not exercised, not applicable and inconclusive apart; clauses nobody names are left out', () => {
    expect(line(true, 0)).toEqual([{ clause: 'C-6', verdict: 'NOT EXERCISED', exercised: 0, findings: 0 }]);
    expect(line(false, 0)[0]?.verdict).toBe('NOT APPLICABLE');
    expect(line(true, 0, false)[0]?.verdict).toBe('NOT APPLICABLE');
    expect(line(true, 2)[0]?.verdict).toBe('INCONCLUSIVE');
  });
});

describe('identity', () => {
  it('is clause, kind and discriminator', () => {
    const a = { clause: 'C', kind: 'k', discriminator: 'd' };
    expect(sameIdentity(a, { ...a })).toBe(true);
    for (const field of ['clause', 'kind', 'discriminator']) {
      const b = { ...a, [field]: 'x' };
      expect(sameIdentity(a, b)).toBe(false);
      expect(identityKey(a)).not.toBe(identityKey(b));
      expect(caseId(a)).not.toBe(caseId(b));
    }
    expect(caseId({ ...a, clause: 'A/b', kind: '../k' })).toMatch(/^[A-Za-z0-9._-]+$/);
  });
});

describe('known deviations', () => {
  const identity = { clause: 'C-1', kind: 'value-differs', discriminator: 'bit 1' };
  const at = (iso: string): Date => new Date(iso);

  it('match by identity and implementation until they expire', () => {
    const today = at('2026-03-05T12:00:00Z');
    expect(matchKnown([knownEntry()], 'fake 1.0', today)(identity)).toBe(true);
    expect(matchKnown([knownEntry()], 'other', today)(identity)).toBe(false);
    expect(matchKnown([knownEntry()], 'fake 1.0', today)({ ...identity, discriminator: 'bit 2' })).toBe(false);
    const expiring = [knownEntry({ expires: '2026-03-05' })];
    expect(matchKnown(expiring, 'fake 1.0', today)(identity)).toBe(true);
    expect(matchKnown(expiring, 'fake 1.0', at('2026-03-06T00:00:00Z'))(identity)).toBe(false);
  });
});

describe('certainty of claims', () => {
  it('needs a MUST with the specification behind it', () => {
    const weak = [clause('S', { obligation: 'SHOULD' }), clause('K', { tag: 'k' }), clause('T', { tag: '1S' })];
    const certain = certainClauses([...weak, clause('M')]);
    expect(['S', 'K', 'T', 'M', '?'].map(certain)).toEqual([false, false, true, true, true]);
  });
});

describe('verdictOf', () => {
  const deviation = (clause_: string, more: Partial<FoundDeviation> = {}, certain = true): FoundDeviation => ({
    finding: {
      ...{ clause: clause_, kind: 'crash', discriminator: 'd', at: 0, shownAt: 0 },
      ...{ expected: '', observed: '', evidence: [], certain },
    },
    ...{ property: 'p', hits: 1, confirmed: true, file: 'f', operations: 1, command: '', known: false },
    ...more,
  });
  const code = (deviations: readonly FoundDeviation[], more: Partial<CampaignResult> = {}, inconclusiveCases = 0) => {
    const result: CampaignResult = {
      ...{ profile: PROFILE, target: 'fake', seed: 1, started: '', seconds: 1, interrupted: false },
      totals: {
        ...{ cases: 1000, operations: 10, judged: 10, undefinedOperations: 0, inconclusiveCases },
        ...{ deviantCases: 0, restarts: 0, meanAdmissible: 1, mostWorlds: 1 },
      },
      ...{ properties: [], clauses: [], stale: [], labels: [], undecided: [], deviations },
      ...more,
    };
    return verdictOf(result).code;
  };

  it('is 0 for conformance, with suspects and known deviations aside', () => {
    expect(code([])).toBe(0);
    expect(code([deviation('C-1', { known: true }), deviation('C-2', {}, false)])).toBe(0);
  });

  it('is 1 for a new deviation, whatever else there is', () => {
    expect(code([deviation('C-1')])).toBe(1);
    expect(code([deviation('TARGET'), deviation('C-1')], {}, 900)).toBe(1);
  });

  it('is 3 for a new failure of the target alone', () => {
    expect(code([deviation('TARGET')])).toBe(3);
    expect(code([deviation('TARGET', { known: true })])).toBe(0);
  });

  it('is 2 when too much is open', () => {
    expect(code([], {}, 5)).toBe(0);
    expect(code([], {}, 6)).toBe(2);
    expect(code([deviation('C-1', { confirmed: false })])).toBe(2);
    const label = { property: 'p', label: 'l', count: 0, of: 9, minimum: 0.1 };
    expect(code([], { labels: [{ ...label, verdict: 'low' }] })).toBe(2);
    expect(code([], { labels: [{ ...label, verdict: 'too few' }] })).toBe(0);
    const totals = { cases: 5, operations: 0, judged: 0, undefinedOperations: 0, inconclusiveCases: 0 };
    expect(code([], { totals: { ...totals, deviantCases: 0, restarts: 0, meanAdmissible: 0, mostWorlds: 0 } })).toBe(2);
  });
});

describe('the command that reproduces', () => {
  it('is relative below the current folder, and quoted where the shell needs it', () => {
    expect(replayCommand('/a/b/c.json', 'qemu', '/a')).toBe('npx iovcheck replay b/c.json --target qemu');
    expect(replayCommand('/x/c.json', 'qemu', '/a')).toBe('npx iovcheck replay /x/c.json --target qemu');
    expect(replayCommand('/a/b c.json', 'qemu', '/a')).toBe("npx iovcheck replay 'b c.json' --target qemu");
  });
});
