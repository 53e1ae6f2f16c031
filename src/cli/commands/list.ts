import { drawTable, type TableData } from '../../report/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { wantsColour, widthOf } from '../io.js';
import { named } from '../usage.js';
import type { World } from '../world.js';

export const LIST: CommandSpec = {
  name: 'list',
  args: '[...what]',
  description: 'List properties, targets with their variants, and clauses',
  options: [],
  examples: ['list', 'list properties', 'list targets', 'list clauses'],
  run,
};

const SECTIONS: readonly { readonly name: string; table(world: World): TableData }[] = [
  {
    name: 'properties',
    table: ({ properties }) => ({
      title: 'Properties',
      head: ['property', 'claim', 'clauses'],
      numeric: [2],
      rows: properties.map((each) => [each.id, each.claim, String(each.clauses.length)]),
    }),
  },
  {
    name: 'targets',
    table: ({ targets }) => ({
      title: 'Targets',
      head: ['target', 'variant', 'description'],
      numeric: [],
      rows: targets.flatMap((kind) => [
        [kind.id, '', kind.description],
        ...kind.variants.map((variant) => ['', variant.name, variant.description]),
      ]),
    }),
  },
  {
    name: 'clauses',
    table: ({ catalogue }) => ({
      title: 'Clauses',
      head: ['clause', 'obligation', 'tag', 'needs', 'rule'],
      numeric: [],
      rows: catalogue.map((each) => [each.id, each.obligation, each.tag, each.needs, each.rule]),
    }),
  },
];

async function run({ io, world, args }: Invocation): Promise<number> {
  const chosen = args.map((what) => named('list', what, SECTIONS, (section) => section.name));
  const options = { colour: wantsColour(io, io.stdout), width: widthOf(io.stdout) };
  const texts = (chosen.length === 0 ? SECTIONS : chosen).map((section) => {
    const data = section.table(world);
    return `${data.title}\n${drawTable(data, options)}\n`;
  });
  io.stdout.write(texts.join('\n'));
  return 0;
}
