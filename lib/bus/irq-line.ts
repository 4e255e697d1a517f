/** A wire with a level. A device drives it; whoever listens (a hart's pending bit, an interrupt controller) hears changes only. */
export class IrqLine {
  readonly name: string;
  readonly #listeners: ((level: boolean) => void)[] = [];
  #level = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether the wire is asserted now. */
  get level(): boolean {
    return this.#level;
  }

  /** Drives the wire; listeners hear of it only when the level changes. */
  set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    for (const listener of this.#listeners) listener(level);
  }

  /** Connects a listener and tells it the present level at once, so that the order of wiring does not matter. */
  connect(listener: (level: boolean) => void): void {
    this.#listeners.push(listener);
    listener(this.#level);
  }
}
