import type {
  ComponentModel,
  DepartureSearch,
  DeviceRequest,
  MemoryRange,
  MemoryView,
  Occasion,
  RegisterAccess,
  RequestSuccessor,
  Successor,
} from '../interface/model.js';
import type { Component, Profile } from '../interface/profile.js';
import type { StartState } from '../interface/scenario.js';
import { checkCapabilities } from './capabilities.js';
import { mergeContents, readsAs } from './content.js';
import { deviantWays } from './deviant.js';
import { deviantReading, queueStandsStill } from './deviant-reading.js';
import { deviantMessageWays, messagesOnTheirWay, messageWays } from './events.js';
import { RegisterEvidence } from './evidence.js';
import { completeGlobalCommand } from './global-command.js';
import { completeInvalidation } from './invalidation.js';
import { completeProtection } from './protected-memory.js';
import { isBusy } from './queue.js';
import type { Progress } from './queue-completion.js';
import { queueAdvances, statusRanges } from './queue-progress.js';
import { queueSettled } from './queue-settled.js';
import { writeRegister } from './register-writes.js';
import { registerBytes, registerContents, resolveRegister } from './registers.js';
import { requestWays } from './requests.js';
import { initialState, stateKey, stateWith, type VtdState } from './state.js';

/** The specification of a VT-d remapping unit in legacy mode. */
export const vtdModel: ComponentModel<VtdState> = {
  architecture: 'vtd',
  check: checkCapabilities,
  resolve: resolveRegister,

  initial(component: Component, profile: Profile, start: StartState): VtdState {
    return initialState(
      component,
      start,
      profile.requesters.map((each) => each.routingId),
    );
  },

  key: stateKey,

  write(state: VtdState, access: RegisterAccess, value: bigint, view: MemoryView): readonly Successor<VtdState>[] {
    if (state.unknown !== undefined) return [undecided(state, state.unknown)];
    if (!fits(access))
      return [undecided(state, { kind: 'undefined', reason: 'register access of a width it does not have (N54)' })];
    return writeRegister(state, access, value, view.now).map((result) =>
      result.kind === 'undefined'
        ? undecided(state, result)
        : { next: result.state, clauses: result.clauses, evidence: [], labels: [] },
    );
  },

  read(
    state: VtdState,
    access: RegisterAccess,
    observed: bigint | undefined,
    view: MemoryView,
  ): readonly Successor<VtdState>[] {
    if (state.unknown !== undefined) return [undecided(state, state.unknown)];
    const contents = fits(access) ? registerContents(state, access, view) : undefined;
    if (contents === undefined) {
      return [
        undecided(state, { kind: 'undefined', reason: `read of ${access.register} is not specified yet` }, false),
      ];
    }
    const fitting = contents.filter((content) => observed === undefined || readsAs(content, access, observed));
    // Where the head was is not seen, so it need not be decided.
    if (observed === undefined && access.register === 'IQH')
      return [{ next: state, clauses: [], evidence: [], labels: [] }];
    return mergeContents(fitting).map((content) => ({
      next: content.state,
      clauses: content.clauses,
      evidence: [new RegisterEvidence(access.register, content)],
      labels: content.labels,
    }));
  },

  deviantRead(
    state: VtdState,
    access: RegisterAccess,
    observed: bigint,
    view: MemoryView,
  ): readonly Successor<VtdState>[] {
    if (!fits(access)) return [];
    const context = { view, requesters: state.requesters };
    return deviantReading(state, access, observed, context);
  },

  request(state: VtdState, request: DeviceRequest, view: MemoryView): readonly RequestSuccessor<VtdState>[] {
    if (request.pasid !== undefined) {
      const next = undecided(state, { kind: 'inconclusive', reason: 'requests-with-PASID are not specified yet' });
      return [{ ...next, pieces: [{ offset: 0, bytes: request.bytes, effect: { kind: 'blocked' } }] }];
    }
    return requestWays(state, request, { view, requesters: state.requesters });
  },

  deviantRequest(
    state: VtdState,
    request: DeviceRequest,
    view: MemoryView,
    search: DepartureSearch,
  ): readonly RequestSuccessor<VtdState>[] {
    if (request.pasid !== undefined) return [];
    return deviantWays(state, request, { view, requesters: state.requesters }, search);
  },

  missingStore: (state: VtdState, view: MemoryView) => queueStandsStill(state, view),
  unknown: (state: VtdState) => state.unknown?.reason,

  settle(state: VtdState, view: MemoryView): readonly Successor<VtdState>[] {
    const { now } = view;
    const done = completeInvalidation(completeInvalidation(state, 'context', now), 'iotlb', now);
    return queueSettled(completeProtection(completeGlobalCommand(done, now)), view).map((progress) =>
      onTheWay(state, progress),
    );
  },

  idle(state: VtdState): boolean {
    return !isBusy(state.queue) && !messagesOnTheirWay(state);
  },

  ownStores(state: VtdState, view: MemoryView): readonly MemoryRange[] {
    return isBusy(state.queue) && state.unknown === undefined ? statusRanges(state, view) : [];
  },

  advances(state: VtdState, occasion: Occasion, view: MemoryView): readonly Successor<VtdState>[] {
    if (!isBusy(state.queue) || state.unknown !== undefined)
      return [onTheWay(state, { state, stores: [], clauses: [] })];
    return queueAdvances(state, occasion, view).map((progress) => onTheWay(state, progress));
  },

  messages: messageWays,
  deviantMessages: deviantMessageWays,
};

function stayingPut(unit: VtdState): Successor<VtdState> {
  return { next: unit, clauses: [], evidence: [], labels: [] };
}

/** A way on that the unit took on its own. */
function onTheWay(unit: VtdState, progress: Progress): Successor<VtdState> {
  const { state, stores, clauses, undecided: why } = progress;
  if (state === unit && why === undefined) return stayingPut(unit);
  if (why !== undefined) return { ...undecided(state, why), stores };
  return { next: state, clauses, evidence: [], labels: [], stores };
}

/** Facts 1.1: aligned DWORD access, or QWORD access to a register that is that wide. */
function fits(access: RegisterAccess): boolean {
  if (access.register === 'reserved') return access.offset % access.size === 0;
  const bytes = registerBytes(access.register);
  return bytes !== undefined && access.offset % access.size === 0 && access.offset + access.size <= bytes;
}

/** `lasting`: nothing can be said of the unit from here on. */
function undecided(
  state: VtdState,
  why: { readonly kind: 'undefined' | 'inconclusive'; readonly reason: string },
  lasting = true,
): Successor<VtdState> {
  const { kind, reason } = why;
  const next = lasting ? stateWith(state, { unknown: { kind, reason } }) : state;
  return { next, clauses: [], evidence: [], labels: [], undecided: { kind, reason } };
}
