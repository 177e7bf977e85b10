/** A fresh key for an Idempotency-Key header. */

/** 128 random bits; `crypto.randomUUID` is missing on plain http, where a panel may be looked at from a phone. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
