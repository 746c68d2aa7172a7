import {
  Circuit,
  type CircuitObserver,
  type CircuitSettings,
  type CircuitSystem,
  type CircuitView,
} from './circuit.ts';

/** The circuits of a process, one for each system outside. */
export class Circuits {
  readonly #settings: CircuitSettings;
  readonly #now: () => number;
  readonly #circuits = new Map<string, Circuit>();
  readonly #observers: CircuitObserver[] = [];

  /**
   * @param settings with a `failureThreshold` of 0 there are no circuits, and calls never pause
   * @param now the time that others go by too, in milliseconds since 1970; left out: the machine's
   */
  constructor(settings: CircuitSettings, now: () => number = () => Date.now()) {
    this.#settings = settings;
    this.#now = now;
  }

  /** The circuit of a system, which is made when it is first asked for; null when there are none. */
  of(system: CircuitSystem): Circuit | null {
    if (this.#settings.failureThreshold === 0) return null;
    const known = this.#circuits.get(system.name);
    if (known) return known;
    const observer: CircuitObserver = {
      opened: (...what) => this.#observers.forEach((one) => void one.opened(...what)),
      closed: (...what) => this.#observers.forEach((one) => void one.closed(...what)),
    };
    const circuit = new Circuit(system, this.#settings, observer, this.#now);
    this.#circuits.set(system.name, circuit);
    return circuit;
  }

  /** Has an observer hear of all circuits. */
  observe(observer: CircuitObserver): void {
    this.#observers.push(observer);
  }

  /** All circuits as they are now, by the names of their systems. */
  views(): ReadonlyMap<string, CircuitView> {
    return new Map([...this.#circuits].map(([name, circuit]) => [name, circuit.view()]));
  }
}
