/**
 * The question «is it you?» that the core asks before what matters. Whoever meets it waits here until somebody on the
 * page has asked the person; several calls that meet it at once share one question.
 */

export class StepUp {
  #asking: Promise<boolean> | null = null
  #settle: ((isProven: boolean) => void) | null = null
  readonly #listeners = new Set<() => void>()

  get isAsking(): boolean {
    return this.#asking !== null
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      // nobody is left who could ask
      if (this.#listeners.size === 0) this.settle(false)
    }
  }

  /** True once the person has proven to be who it is; false when they would not, or nobody can ask. */
  ask(): Promise<boolean> {
    if (this.#listeners.size === 0) return Promise.resolve(false)
    this.#asking ??= new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#tell()
    return this.#asking
  }

  settle(isProven: boolean): void {
    this.#settle?.(isProven)
    this.#settle = null
    this.#asking = null
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
