import type { CommandSpec, Invocation } from '../command.js';
import { textFlag } from '../flags.js';
import type { Check } from '../world.js';

const OLDEST_NODE: readonly [number, number] = [20, 19];

export const DOCTOR: CommandSpec = {
  name: 'doctor',
  args: '',
  description: 'Say what is found here and what to install',
  options: [['--qemu <path>', 'QEMU binary, a path or a name in PATH (default: qemu-system-x86_64)']],
  examples: ['doctor', 'doctor --qemu ./build/qemu-system-x86_64'],
  run,
};

/** Whether this version of Node.js will do. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const hint = `install Node.js ${OLDEST_NODE.join('.')} or newer`;
  return { what: 'Node.js', ok, found: version, ...(ok ? {} : { hint }) };
}

/** Missing targets are told but no error, as long as one can be used. */
async function run({ io, world, flags }: Invocation): Promise<number> {
  const qemu = textFlag(flags, 'qemu');
  const node = nodeCheck(process.version);
  io.stdout.write(line(node));
  let usable = false;
  for (const kind of world.targets) {
    const checks = await kind.checks(qemu === undefined || !kind.flags.includes('qemu') ? {} : { qemu });
    for (const check of checks) io.stdout.write(line(check));
    usable ||= checks.every((check) => check.ok);
  }
  return usable && node.ok ? 0 : 3;
}

function line({ what, ok, found, hint }: Check): string {
  return `${ok ? 'ok      ' : 'missing '} ${what}: ${found}\n${hint === undefined ? '' : `         ${hint}\n`}`;
}
