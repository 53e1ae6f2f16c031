import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessageLog } from './messages.js';

describe('the record of messages', () => {
  let folder: string;
  let log: MessageLog;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'iovcheck-messages-'));
    log = new MessageLog(join(folder, 'trace'));
  });
  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const message = (n: number) => ({ address: 0xfee0_0000n + BigInt(n) * 0x1000n, data: BigInt(n) });
  const line = (n: number) => `vtd_irq_generate addr 0x${message(n).address.toString(16)} data 0x${n.toString(16)}\n`;

  it('takes the lines that tell of messages and skips others', () => {
    const qemu = openSync(join(folder, 'trace'), 'w');
    writeSync(qemu, line(1));
    log.skip();
    expect(log.take()).toEqual([]);
    writeSync(
      qemu,
      [
        'vtd_ir_remap_msi_req addr 0xfee00050 data 0x0',
        'vtd_ir_remap_msi (addr 0xfee00050, data 0x0) -> (addr 0xfee02000, data 0x66)',
        'apic_deliver_irq dest 2 dest_mode 0 delivery_mode 0 vector 102 trigger_mode 0',
        '77@1700000000.000001:vtd_irq_generate addr 0x1fee01000 data 0x31',
        '',
      ].join('\n'),
    );
    expect(log.take()).toEqual([
      { address: 0xfee0_2000n, data: 0x66n },
      { address: 0x1_fee0_1000n, data: 0x31n },
    ]);
    expect(log.take()).toEqual([]);
    closeSync(qemu);
  });

  it.each([
    ['at its own offset', 'w'],
    ['at the end', 'a'],
  ])('does not grow for ever when QEMU writes %s', (_, flag) => {
    const qemu = openSync(join(folder, 'trace'), flag);
    const noise = 'x'.repeat(0x4_0000 - 1);
    let most = 0;
    for (let round = 1; round <= 40; round += 1) {
      log.trim();
      expect(log.take()).toEqual([]);
      writeSync(qemu, `${noise}\n${line(1)}`);
      log.skip();
      writeSync(qemu, line(round));
      expect(log.take()).toEqual([message(round)]);
      most = Math.max(most, fstatSync(qemu).blocks * 512);
    }
    expect(most).toBeLessThan(0x20_0000);
    closeSync(qemu);
  });
});
