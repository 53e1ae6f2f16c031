import { BadInput, readCase, readKnown } from '../../formats/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { knownFiles, packageCases, shownPath } from '../stored.js';

/** For the project itself: that every list of known deviations and every stored case of the package can be used. */
export const CHECK_KNOWN: CommandSpec = {
  name: 'check-known',
  args: '',
  description: 'Check the lists of known deviations and the stored cases of this package',
  options: [],
  examples: [],
  hidden: true,
  run,
};

async function run({ io, world }: Invocation): Promise<number> {
  let entries = 0;
  const files = knownFiles(world);
  for (const file of files) {
    const { target, deviations } = readKnown(file, world.checkComponent);
    if (!file.endsWith(`${target}.json`))
      throw new BadInput(`${file}: target: expected that of the file's name, got "${target}"`);
    if (!world.targets.some((kind) => kind.id === target))
      throw new BadInput(`${file}: target: expected one that exists, got "${target}"`);
    entries += deviations.length;
  }
  const cases = packageCases(world);
  for (const file of cases) readCase(file, world.checkComponent);
  io.stdout.write(`${files.length} lists with ${entries} known deviations, ${cases.length} stored cases: sound\n`);
  for (const file of files) io.stdout.write(`  ${shownPath(file, io.cwd)}\n`);
  return 0;
}
