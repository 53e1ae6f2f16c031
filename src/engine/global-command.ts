import { GLOBAL_COMMAND, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import type { Capabilities } from './capabilities.js';
import type { RegisterFile } from './registers.js';

const GSTS = VTD_REGISTERS.GSTS.offset;
const TE = 1 << GLOBAL_COMMAND.TE;
const SRTP = 1 << GLOBAL_COMMAND.SRTP;
const QIE = 1 << GLOBAL_COMMAND.QIE;
const IRE = 1 << GLOBAL_COMMAND.IRE;
const SIRTP = 1 << GLOBAL_COMMAND.SIRTP;
const CFI = 1 << GLOBAL_COMMAND.CFI;

/** What global commands set off. */
export interface CommandActions {
  /** Takes up the root table pointer and its mode. */
  latchRootTable(): void;
  /** Switches DMA remapping. */
  enableTranslation(on: boolean): void;
  /** Switches queued invalidation. */
  enableQueue(on: boolean): void;
  /** Neither DMA nor interrupts are remapped any more. */
  restartFaults(): void;
}

/**
 * GCMD and GSTS. Every command takes effect, and its status follows, before the write returns; so a write-buffer
 * flush (WBF) is over before anyone could see WBFS=1. Of several commands in one write the pointers are latched
 * first, then DMA remapping, the queue and interrupt remapping are switched in this order. Bits of capabilities that
 * are absent do nothing.
 */
export class GlobalCommand {
  private readonly registers: RegisterFile;
  private readonly actions: CommandActions;
  /** Bits whose status follows the bit written. */
  private readonly persistent: number;
  /** Bits that start something when written 1 and whose status then stays 1. */
  private readonly oneShot: number;

  constructor(registers: RegisterFile, capabilities: Capabilities, actions: CommandActions) {
    this.registers = registers;
    this.actions = actions;
    const { queuedInvalidation, interruptRemapping } = capabilities;
    this.persistent = TE | (queuedInvalidation ? QIE : 0) | (interruptRemapping ? IRE | CFI : 0);
    this.oneShot = SRTP | (interruptRemapping ? SIRTP : 0);
    registers.onWrite(VTD_REGISTERS.GCMD.offset, (written) => this.command(written));
  }

  private command(written: number): void {
    const { registers, actions } = this;
    if ((written & SRTP) !== 0) {
      actions.latchRootTable();
    }
    const before = registers.get(GSTS);
    const changed = (written ^ before) & this.persistent;
    registers.set(GSTS, (before ^ changed) | (written & this.oneShot));
    if ((changed & TE) !== 0) {
      actions.enableTranslation((written & TE) !== 0);
    }
    if ((changed & QIE) !== 0) {
      actions.enableQueue((written & QIE) !== 0);
    }
    if ((changed & (TE | IRE)) !== 0 && (written & this.persistent & (TE | IRE)) === 0) {
      actions.restartFaults();
    }
  }
}
