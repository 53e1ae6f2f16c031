import { describe, expect, it } from 'vitest';
import { VirtualCpu } from './vcpu.js';

const withRequests = (...vectors: readonly number[]): VirtualCpu => {
  const vcpu = new VirtualCpu('vm0.vcpu0');
  for (const vector of vectors) vcpu.request(vector);
  return vcpu;
};

describe('a virtual CPU', () => {
  it('takes the highest vector first, whatever came first', () => {
    const vcpu = withRequests(0x31, 0x91, 0x52);
    expect(vcpu.dispatch()).toBe(0x91);
    vcpu.endOfInterrupt();
    expect(vcpu.dispatch()).toBe(0x52);
  });

  it('merges requests of one vector, and takes one that comes while it is in service once more', () => {
    const vcpu = withRequests(0x31, 0x31);
    expect(vcpu.dispatch()).toBe(0x31);
    vcpu.request(0x31);
    expect(vcpu.dispatch()).toBeUndefined();
    vcpu.endOfInterrupt();
    expect(vcpu.dispatch()).toBe(0x31);
    vcpu.endOfInterrupt();
    expect(vcpu.dispatch()).toBeUndefined();
  });

  it('is interrupted by a higher class only', () => {
    const vcpu = withRequests(0x52);
    vcpu.dispatch();
    vcpu.request(0x5e);
    expect(vcpu.dispatch()).toBeUndefined();
    vcpu.request(0x91);
    expect(vcpu.dispatch()).toBe(0x91);
  });

  it('holds back what TPR holds back', () => {
    const vcpu = withRequests(0x52);
    vcpu.setTaskPriority(0x50);
    expect(vcpu.dispatch()).toBeUndefined();
    vcpu.setTaskPriority(0x4f);
    expect(vcpu.dispatch()).toBe(0x52);
  });

  it('does not mind an EOI without an interrupt', () => {
    const vcpu = withRequests(0x52);
    vcpu.endOfInterrupt();
    expect(vcpu.dispatch()).toBe(0x52);
  });
});
