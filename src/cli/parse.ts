import { type CAC, cac } from 'cac';
import type { CommandSpec } from './command.js';
import type { Flags } from './flags.js';
import { alternatives, UsageError } from './usage.js';

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly text: string; readonly asked: boolean }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'command';
      readonly command: CommandSpec;
      readonly args: readonly string[];
      readonly flags: Flags;
    };

/** The parser prints help by itself; this takes the text out of its hands. */
class HelpText extends Error {}

function parserOf(commands: readonly CommandSpec[]): CAC {
  const parser = cac('iovcheck');
  for (const spec of commands) {
    const command = parser.command(`${spec.name} ${spec.args}`.trim(), spec.description);
    for (const [flags, description] of spec.options) command.option(flags, description);
    for (const example of spec.examples) command.example((bin) => `  $ ${bin} ${example}`);
  }
  const hidden = commands.filter((spec) => spec.hidden === true).map((spec) => spec.name);
  for (const example of commands.flatMap((spec) => spec.examples.slice(0, 1))) {
    parser.example((bin) => `  $ ${bin} ${example}`);
  }
  parser.option('-V, --version', 'Show the version');
  parser.help((sections) => {
    const lines = sections.flatMap(({ title, body }) => [title === undefined ? '' : `${title}:`, body, '']);
    const shown = lines.join('\n').split('\n');
    // What is hidden shows itself when its own help is asked for.
    const others = hidden.filter((name) => name !== parser.matchedCommandName);
    throw new HelpText(
      shown.filter((line) => !others.some((name) => new RegExp(`^ +(\\$ iovcheck )?${name}\\b`).test(line))).join('\n'),
    );
  });
  return parser;
}

/** The help text of whatever the parser has matched. */
function helpOf(show: () => void): string {
  try {
    show();
  } catch (error) {
    if (error instanceof HelpText) return `${error.message.trim()}\n`;
    throw error;
  }
  return '';
}

/**
 * Reads the command line.
 *
 * @param argv without the names of the interpreter and the program
 * @throws UsageError for what does not exist
 */
export function parse(argv: readonly string[], commands: readonly CommandSpec[]): Request {
  const parser = parserOf(commands);
  const help = helpOf(() => parser.parse(['node', 'iovcheck', ...argv], { run: false }));
  if (help !== '') return { kind: 'help', text: help, asked: true };
  const { '--': after, ...flags } = parser.options;
  const name = parser.matchedCommandName;
  if (name === undefined) {
    if (flags['version'] === true) return { kind: 'version' };
    const visible = commands.filter((spec) => spec.hidden !== true).map((spec) => spec.name);
    const [unknown] = parser.args;
    if (unknown !== undefined) throw new UsageError(`unknown command "${unknown}": expected ${alternatives(visible)}`);
    refuseUnknown(parser, flags);
    return { kind: 'help', text: helpOf(() => parser.outputHelp()), asked: false };
  }
  refuseUnknown(parser, flags);
  const command = commands.find((spec) => spec.name === name)!;
  const args = [...parser.args, ...(Array.isArray(after) ? after : [])].map(String);
  if (args.length > 0 && command.args === '') {
    throw new UsageError(`${name}: expected no argument, got "${args[0]}"`);
  }
  if (args.length === 0 && command.args.startsWith('<')) {
    throw new UsageError(`${name}: expected ${command.args.replace(/[<>.]/g, '').toUpperCase()}, got nothing`);
  }
  return { kind: 'command', command, args, flags };
}

function refuseUnknown(parser: CAC, flags: Flags): void {
  const known = [...(parser.matchedCommand?.options ?? []), ...parser.globalCommand.options];
  const unknown = Object.keys(flags).find((flag) => !known.some((option) => option.names.includes(flag)));
  if (unknown === undefined) return;
  const dashes = (name: string): string =>
    name.length === 1 ? `-${name}` : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const all = alternatives(known.map((option) => dashes(option.name)));
  throw new UsageError(`unknown flag "${dashes(unknown)}": expected ${all}`);
}
