/** The priority class of a vector. */
const classOf = (vector: number): number => vector >> 4;

/** A vCPU's local APIC, as far as it is virtual here: which vectors are requested, which are in service, and TPR. */
export class VirtualCpu {
  readonly name: string;
  private readonly requested = new Set<number>();
  private readonly inService: number[] = [];
  private taskPriority = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Accepts an interrupt: the vector is requested. */
  request(vector: number): void {
    this.requested.add(vector);
  }

  /** The guest is ready for an interrupt: the highest vector that may interrupt goes into service. */
  dispatch(): number | undefined {
    const highest = Math.max(...this.requested);
    const threshold = Math.max(classOf(this.taskPriority), classOf(this.inService.at(-1) ?? 0));
    if (this.requested.size === 0 || classOf(highest) <= threshold) return undefined;
    this.requested.delete(highest);
    this.inService.push(highest);
    return highest;
  }

  /** End of interrupt: the highest vector in service, which is the last one that went there. */
  endOfInterrupt(): void {
    this.inService.pop();
  }

  /** @param priority 8 bits */
  setTaskPriority(priority: number): void {
    this.taskPriority = priority;
  }
}
