import { hex } from '../bits.js';
import type {
  ComponentModel,
  DeviceRequest,
  MemoryView,
  RegisterAccess,
  RequestSuccessor,
  Successor,
} from '../interface/model.js';
import type { Component, Profile } from '../interface/profile.js';
import type { StartState } from '../interface/scenario.js';
import { checkCapabilities } from './capabilities.js';
import { deviantReading, deviantWays } from './deviant.js';
import { completeGlobalCommand } from './global-command.js';
import { completeInvalidation } from './invalidation.js';
import { writeRegister } from './register-writes.js';
import { mergeContents, readsAs, registerBytes, registerContents, resolveRegister } from './registers.js';
import { requestWays } from './requests.js';
import { initialState, stateKey, type VtdState } from './state.js';

/** State of the unit, with what the platform around it says. */
export interface VtdUnit extends VtdState {
  /** Routing IDs of every requester behind the unit. */
  readonly requesters: readonly number[];
}

/** The specification of a VT-d remapping unit in legacy mode. */
export const vtdModel: ComponentModel<VtdUnit> = {
  architecture: 'vtd',
  check: checkCapabilities,
  resolve: resolveRegister,

  initial(component: Component, profile: Profile, start: StartState): VtdUnit {
    return { ...initialState(component, start), requesters: profile.requesters.map((each) => each.routingId) };
  },

  key: stateKey,

  write(state: VtdUnit, access: RegisterAccess, value: bigint, view: MemoryView): readonly Successor<VtdUnit>[] {
    if (state.unknown !== undefined) return [undecided(state, state.unknown)];
    if (!fits(access))
      return [undecided(state, { kind: 'undefined', reason: 'register access of a width it does not have (N54)' })];
    const result = writeRegister(state, access, value, view.now);
    if (result.kind === 'undefined') return [undecided(state, result)];
    return [{ next: { ...state, ...result.state }, clauses: result.clauses, evidence: [], labels: [] }];
  },

  read(
    state: VtdUnit,
    access: RegisterAccess,
    observed: bigint | undefined,
    view: MemoryView,
  ): readonly Successor<VtdUnit>[] {
    if (state.unknown !== undefined) return [undecided(state, state.unknown)];
    const contents = fits(access) ? registerContents(state, access, view) : undefined;
    if (contents === undefined) {
      return [
        undecided(state, { kind: 'undefined', reason: `read of ${access.register} is not specified yet` }, false),
      ];
    }
    const fitting = contents.filter((content) => observed === undefined || readsAs(content, access, observed));
    return mergeContents(fitting).map((content) => ({
      next: { ...state, ...content.state },
      clauses: content.clauses,
      evidence: [{ what: access.register, reading: `${hex(content.value)}, fixed bits ${hex(content.mask)}` }],
      labels: content.labels,
    }));
  },

  deviantRead(
    state: VtdUnit,
    access: RegisterAccess,
    observed: bigint,
    view: MemoryView,
  ): readonly Successor<VtdUnit>[] {
    if (!fits(access)) return [];
    const context = { view, requesters: state.requesters };
    return deviantReading(state, access, observed, context).map((each) => ({
      ...each,
      next: { ...state, ...each.next },
    }));
  },

  request(state: VtdUnit, request: DeviceRequest, view: MemoryView): readonly RequestSuccessor<VtdUnit>[] {
    if (request.pasid !== undefined) {
      const next = undecided(state, { kind: 'inconclusive', reason: 'requests-with-PASID are not specified yet' });
      return [{ ...next, pieces: [{ offset: 0, bytes: request.bytes, effect: { kind: 'blocked' } }] }];
    }
    return requestWays(state, request, { view, requesters: state.requesters }).map((way) => ({
      ...way,
      next: { ...state, ...way.next },
    }));
  },

  deviantRequest(
    state: VtdUnit,
    request: DeviceRequest,
    view: MemoryView,
    seen: readonly bigint[],
  ): readonly RequestSuccessor<VtdUnit>[] {
    if (request.pasid !== undefined) return [];
    return deviantWays(state, request, { view, requesters: state.requesters }, seen).map((way) => ({
      ...way,
      next: { ...state, ...way.next },
    }));
  },

  settle(state: VtdUnit, now: number): VtdUnit {
    const done = completeInvalidation(completeInvalidation(state, 'context', now), 'iotlb', now);
    return { ...state, ...completeGlobalCommand(done) };
  },
};

/** Facts 1.1: aligned DWORD access, or QWORD access to a register that is that wide. */
function fits(access: RegisterAccess): boolean {
  const bytes = registerBytes(access.register);
  return bytes !== undefined && access.offset % access.size === 0 && access.offset + access.size <= bytes;
}

/** `lasting`: nothing can be said of the unit from here on. */
function undecided(
  state: VtdUnit,
  why: { readonly kind: 'undefined' | 'inconclusive'; readonly reason: string },
  lasting = true,
): Successor<VtdUnit> {
  const { kind, reason } = why;
  const next = lasting ? { ...state, unknown: { kind, reason } } : state;
  return { next, clauses: [], evidence: [], labels: [], undecided: { kind, reason } };
}
