/** Which of a person's tenants the panel acts for, when they chose one: the `X-Tenant-ID` of every tenant's request. */

const MEMORY = "tochka.tenant"
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What is remembered across page loads, such as `localStorage`. */
export type Memory = Pick<Storage, "getItem" | "setItem" | "removeItem">

export function isUuid(value: string | null): value is string {
  return value !== null && UUID.test(value)
}

export class TenantChoice {
  readonly #memory: Memory
  readonly #listeners = new Set<() => void>()

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** Only ever a well-formed id: what lies in the browser's storage may have been written by anything. */
  get id(): string | null {
    const stored = this.#memory.getItem(MEMORY)
    return isUuid(stored) ? stored : null
  }

  choose(id: string): void {
    if (!isUuid(id)) throw new TypeError("A tenant id is a UUID")
    this.#memory.setItem(MEMORY, id)
    this.#changed()
  }

  forget(): void {
    this.#memory.removeItem(MEMORY)
    this.#changed()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
