import {
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IVA_FIELDS,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import type { CacheInvalidation, ContextCover, TranslationCover } from './cache-invalidation.js';
import type { Capabilities } from './capabilities.js';
import type { Pace } from './pace.js';
import type { RegisterFile } from './registers.js';

/** Major version from which on invalidation through registers is refused. */
const MAJOR_WITHOUT_REGISTERS = 6;

const CCMD_COMMAND = VTD_REGISTERS.CCMD.offset + 4;
const ICC = fieldMask(CCMD_FIELDS.ICC, 1);
const CIRG = fieldMask(CCMD_FIELDS.CIRG, 1);
const CIRG_SHIFT = fieldShift(CCMD_FIELDS.CIRG);
const CAIG = fieldMask(CCMD_FIELDS.CAIG, 1);
const CAIG_SHIFT = fieldShift(CCMD_FIELDS.CAIG);
const IVT = fieldMask(IOTLB_FIELDS.IVT, 1);
const IIRG = fieldMask(IOTLB_FIELDS.IIRG, 1);
const IIRG_SHIFT = fieldShift(IOTLB_FIELDS.IIRG);
const IAIG = fieldMask(IOTLB_FIELDS.IAIG, 1);
const IAIG_SHIFT = fieldShift(IOTLB_FIELDS.IAIG);
const AM = fieldMask(IVA_FIELDS.AM, 0);
const IH = fieldMask(IVA_FIELDS.IH, 0);
const ADDRESS_LOW = fieldMask(IVA_FIELDS.ADDR, 0);
const CONTEXT_DID = fieldMask(CCMD_FIELDS.DID, 0);
const SID_SHIFT = fieldShift(CCMD_FIELDS.SID);
const FM = fieldMask(CCMD_FIELDS.FM, 1);
const IOTLB_DID = fieldMask(IOTLB_FIELDS.DID, 1);

/** What invalidation through registers works with. */
export interface RegisterInvalidationOptions {
  readonly registers: RegisterFile;
  readonly capabilities: Capabilities;
  readonly invalidation: CacheInvalidation;
  readonly pace: Pace;
  /** Whether the latched root table is one of legacy mode. */
  readonly isLegacy: () => boolean;
}

/** Invalidation through CCMD and IOTLB; what is reported is the granularity performed. */
export class RegisterInvalidation {
  private readonly registers: RegisterFile;
  private readonly capabilities: Capabilities;
  private readonly invalidation: CacheInvalidation;
  private readonly pace: Pace;
  private readonly isLegacy: () => boolean;
  /** Commands started and not done. */
  private pending = 0;

  constructor({ registers, capabilities, invalidation, pace, isLegacy }: RegisterInvalidationOptions) {
    this.registers = registers;
    this.capabilities = capabilities;
    this.invalidation = invalidation;
    this.pace = pace;
    this.isLegacy = isLegacy;
    registers.onWrite(CCMD_COMMAND, (written) => this.contextCommand(written));
    registers.onWrite(this.iotlbCommandOffset, (written) => this.iotlbCommand(written));
  }

  private get iotlbCommandOffset(): number {
    return this.capabilities.invalidateOffset + 12;
  }

  private accepted(): boolean {
    return this.capabilities.major < MAJOR_WITHOUT_REGISTERS && this.isLegacy();
  }

  private contextCommand(written: number): void {
    if ((written & ICC) === 0) {
      return;
    }
    const { registers, invalidation } = this;
    const tags = registers.get(VTD_REGISTERS.CCMD.offset);
    this.start(() => {
      const cover = this.accepted() ? this.contextCover(written, tags) : undefined;
      const performed = cover === undefined ? 'none' : granularityOf(invalidation.contexts(cover));
      const kept = registers.get(CCMD_COMMAND) & ~(ICC | CAIG);
      registers.set(CCMD_COMMAND, kept | (CONTEXT_GRANULARITY[performed] << CAIG_SHIFT));
    });
  }

  private contextCover(command: number, tags: number): ContextCover | undefined {
    const { invalidation } = this;
    const domain = tags & CONTEXT_DID;
    switch ((command & CIRG) >>> CIRG_SHIFT) {
      case CONTEXT_GRANULARITY.global:
        return { granularity: 'global' };
      case CONTEXT_GRANULARITY.domain:
        return invalidation.domainContexts(domain);
      case CONTEXT_GRANULARITY.device:
        return invalidation.deviceContexts(domain, tags >>> SID_SHIFT, command & FM);
      default:
        return undefined;
    }
  }

  private iotlbCommand(written: number): void {
    if ((written & IVT) === 0) {
      return;
    }
    const { registers, invalidation, iotlbCommandOffset } = this;
    const pageHigh = registers.get(this.capabilities.invalidateOffset + 4);
    const page = registers.get(this.capabilities.invalidateOffset);
    this.start(() => {
      const cover = this.accepted() ? this.translationCover(written, pageHigh, page) : undefined;
      const performed = cover === undefined ? 'none' : granularityOf(invalidation.translations(cover));
      const kept = registers.get(iotlbCommandOffset) & ~(IVT | IAIG);
      registers.set(iotlbCommandOffset, kept | (IOTLB_GRANULARITY[performed] << IAIG_SHIFT));
    });
  }

  /** @param page low half of IVA, with AM and IH */
  private translationCover(command: number, pageHigh: number, page: number): TranslationCover | undefined {
    const { capabilities, invalidation } = this;
    const domain = command & IOTLB_DID;
    switch ((command & IIRG) >>> IIRG_SHIFT) {
      case IOTLB_GRANULARITY.global:
        return { granularity: 'global' };
      case IOTLB_GRANULARITY.domain:
        return invalidation.domainTranslations(domain);
      case IOTLB_GRANULARITY.page:
        if (!capabilities.pageSelective) {
          return invalidation.domainTranslations(domain);
        }
        return (page & AM) > capabilities.maximumAddressMask
          ? undefined
          : invalidation.pageTranslations(domain, pageHigh, page & ADDRESS_LOW, page & AM, (page & IH) !== 0);
      default:
        return undefined;
    }
  }

  /** Software waits for one command before it gives the next; where it does not, the first is done before. */
  private start(command: () => void): void {
    if (this.pending > 0) {
      this.pace.finish();
    }
    this.pending++;
    this.pace.later(() => {
      this.pending--;
      command();
    });
  }
}

/** The granularity that is reported; nothing else than a command gets here. */
function granularityOf<Cover extends ContextCover | TranslationCover>(
  cover: Cover,
): Exclude<Cover['granularity'], 'pointer'> {
  return (cover.granularity === 'pointer' ? 'global' : cover.granularity) as Exclude<Cover['granularity'], 'pointer'>;
}
