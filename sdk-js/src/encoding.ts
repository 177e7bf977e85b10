/** Bytes as text and back, strictly: what is not exactly right is null and never an exception. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A view on bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The bytes of padded base64, or null. */
export function fromBase64(text: string): Bytes | null {
  if (!BASE64.test(text)) return null
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}

/** Padded base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}

/** Base64 as in tokens: without padding, safe in addresses. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
}

/** The bytes of base64 as in tokens, or null. */
export function fromBase64Url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  const padded = text.replaceAll("-", "+").replaceAll("_", "/")
  return fromBase64(padded.padEnd(Math.ceil(padded.length / 4) * 4, "="))
}

/** UTF-8. */
export function toBytes(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** Several pieces as one. */
export function joined(...pieces: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
