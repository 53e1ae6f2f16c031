import fc, { type Arbitrary } from 'fast-check';
import type { Profile } from '../spec/interface/profile.js';
import type { Built, Property } from '../src/harness/property.js';
import { type Platform, platformOf, unsuitable } from './generators/capabilities.js';
import { buildRegisterPoint, giveCommand, registerPoints } from './generators/register-sweep.js';
import { type RegisterView, readView, registerViews, type Width, writeView } from './generators/registers.js';
import { Script } from './generators/script.js';

/** One access. */
export type AccessStep =
  | { readonly act: 'write'; readonly which: number; readonly value: bigint; readonly width: Width }
  | { readonly act: 'read'; readonly which: number; readonly width: Width }
  | { readonly act: 'command'; readonly context: boolean; readonly granularity: number; readonly halves: boolean }
  | { readonly act: 'readAll' };

export interface AccessIntents {
  readonly start: number;
  readonly steps: readonly AccessStep[];
}

/** Of 1000 cases, how many start from reset. */
const FROM_RESET = 300;

const WIDTHS: readonly Width[] = ['whole', 'whole', 'halves', 'low', 'high'];

function valueArbitrary(): Arbitrary<bigint> {
  const any = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  return fc.oneof(
    { weight: 3, arbitrary: any },
    { weight: 2, arbitrary: fc.nat(63).map((bit) => 1n << BigInt(bit)) },
    { weight: 1, arbitrary: fc.constantFrom(0n, (1n << 64n) - 1n) },
    { weight: 1, arbitrary: fc.tuple(any, any).map(([a, b]) => a & b) },
  );
}

function steps(views: number): Arbitrary<AccessStep> {
  const which = fc.nat(views - 1);
  const width = fc.constantFrom(...WIDTHS);
  const granularity = fc.nat(3);
  return fc.oneof(
    { weight: 10, arbitrary: fc.record({ act: fc.constant('write'), which, value: valueArbitrary(), width }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('read'), which, width }) },
    {
      weight: 1,
      arbitrary: fc.record({ act: fc.constant('command'), context: fc.boolean(), granularity, halves: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('readAll') }) },
  );
}

/** Whether a random case leaves it alone: base and limit of protected memory must not change while it is enabled. */
function left({ register }: RegisterView, platform: Platform): boolean {
  return register === 'PMEN' && (platform.protectedLow || platform.protectedHigh);
}

function build(profile: Profile, intents: AccessIntents): Built {
  const platform = platformOf(profile);
  const script = new Script(platform);
  const views = registerViews(platform);
  const readAll = (): void => {
    for (const view of views) readView(script, view, 'whole');
  };
  // What it holds at the start is the target's affair; half of it might be written first.
  script.write('RTADDR', 8, 0n);
  for (const step of intents.steps) {
    switch (step.act) {
      case 'write': {
        const view = views[step.which]!;
        if (left(view, platform)) break;
        writeView(script, view, step.value, step.width);
        readView(script, view, 'whole');
        break;
      }
      case 'read':
        readView(script, views[step.which]!, step.width);
        break;
      case 'command': {
        const { granularity, halves } = step;
        const register = step.context ? 'CCMD' : 'IOTLB';
        giveCommand(script, { register, granularity, halves, domain: 1n, mask: 0 });
        script.read(register, 8);
        break;
      }
      case 'readAll':
        readAll();
        break;
    }
  }
  readAll();
  const start = intents.start < FROM_RESET ? 'reset' : 'ready';
  return { scenario: { level: 'operations', start, operations: script.operations }, labels: {} };
}

/** Registers keep their access types. */
export const registerAccess: Property<AccessIntents> = {
  id: 'register-access',
  claim:
    'Every bit of every register keeps its access type under lawful writes of every width in every order, and registers of absent capabilities read 0.',
  clauses: [
    'VTD-REG-R03',
    'VTD-REG-001',
    'VTD-REG-002',
    'VTD-REG-003',
    'VTD-REG-004',
    'VTD-REG-005',
    'VTD-REG-006',
    'VTD-REG-007',
    'VTD-REG-008',
    'VTD-REG-009',
    'VTD-REG-011',
    'VTD-REG-012',
    'VTD-REG-013',
    'VTD-REG-014',
    'VTD-REG-015',
    'VTD-REG-016',
    'VTD-INV-012',
    'VTD-INV-013',
    'VTD-INV-014',
    'VTD-INV-018',
    'VTD-FREC-004',
  ],
  notApplicable: unsuitable,
  sweep: (profile) => {
    const points = registerPoints(platformOf(profile));
    const at = (index: number): Built => {
      const point = points[index];
      if (point === undefined) throw new Error(`register sweep point ${index} of ${points.length} does not exist`);
      return buildRegisterPoint(profile, point, index);
    };
    return { size: points.length, at };
  },
  intents: (profile) =>
    fc.noBias(
      fc.record({
        start: fc.nat(999),
        steps: fc.array(steps(registerViews(platformOf(profile)).length), { minLength: 6, maxLength: 40, size: 'max' }),
      }),
    ),
  build,
  // Nothing here is a device request.
  minimumShares: () => ({}),
};
