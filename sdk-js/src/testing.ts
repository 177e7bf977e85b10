/** What tests of a receiver need: a store in memory, and the platform's signature. */
export { MemoryStore } from "./memory.ts"
export type { MemoryTransaction } from "./memory.ts"
export { generateKeypair, sign } from "./signatures.ts"
