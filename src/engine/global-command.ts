import { GLOBAL_COMMAND, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import type { Capabilities } from './capabilities.js';
import type { Pace } from './pace.js';
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
  /** Reads the root table pointer and its mode; what is given back takes them up. */
  rootTable(): () => void;
  /** Switches DMA remapping. */
  enableTranslation(on: boolean): void;
  /** Switches queued invalidation. */
  enableQueue(on: boolean): void;
  /** Neither DMA nor interrupts are remapped any more. */
  restartFaults(): void;
}

/**
 * GCMD and GSTS. A write-buffer flush (WBF) is over before anyone could see WBFS=1, as nothing is buffered. Of several commands in one write the pointers are latched
 * first, then DMA remapping, the queue and interrupt remapping are switched in this order. Bits of capabilities that
 * are absent do nothing.
 */
export class GlobalCommand {
  private readonly registers: RegisterFile;
  private readonly actions: CommandActions;
  private readonly pace: Pace;
  /** Commands given and not done. */
  private pending = 0;
  /** Bits whose status follows the bit written. */
  private readonly persistent: number;
  /** Bits that start something when written 1 and whose status then stays 1. */
  private readonly oneShot: number;

  constructor(registers: RegisterFile, capabilities: Capabilities, pace: Pace, actions: CommandActions) {
    this.registers = registers;
    this.pace = pace;
    this.actions = actions;
    const { queuedInvalidation, interruptRemapping } = capabilities;
    this.persistent = TE | (queuedInvalidation ? QIE : 0) | (interruptRemapping ? IRE | CFI : 0);
    this.oneShot = SRTP | (interruptRemapping ? SIRTP : 0);
    registers.onWrite(VTD_REGISTERS.GCMD.offset, (written) => this.start(written));
  }

  /** Software waits for one command before it gives the next; where it does not, the first is done before. */
  private start(written: number): void {
    const { registers, actions, pace } = this;
    if (this.pending > 0) {
      pace.finish();
    }
    this.pending++;
    const latch = (written & SRTP) === 0 ? undefined : actions.rootTable();
    // The status of a pointer is 0 until it is in use.
    registers.set(GSTS, registers.get(GSTS) & ~(written & this.oneShot));
    pace.later(() => {
      this.pending--;
      latch?.();
      this.command(written);
    });
  }

  private command(written: number): void {
    const { registers, actions } = this;
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
