/** Phone numbers as they are typed: Russian ones in the shape people know, others left as they are. */

const RUSSIAN_LENGTH = 11
const LONGEST = 15
const SHORTEST = 8

/** Digits with the country code first, from anything typed or pasted: `8 (999) 123-45-67`, `9991234567`, `+7 999…`. */
export function phoneDigits(input: string): string {
  const text = input.trim()
  const isInternational = text.startsWith("+") || text.startsWith("00")
  const digits = text.replace(/\D/g, "").replace(/^00/, "")
  if (digits === "") return ""
  if (isInternational) {
    const isTrunkAfterPlus = /^89\d{9}$/.test(digits)
    return isTrunkAfterPlus ? `7${digits.slice(1)}` : cut(digits)
  }
  if (digits.startsWith("8")) return cut(`7${digits.slice(1)}`)
  if (digits.startsWith("7")) return cut(digits)
  return cut(`7${digits}`)
}

/** `+7 999 123-45-67`, as far as it has been typed; no separator stands at the end, so deleting always deletes a digit. */
export function formatPhone(input: string): string {
  const digits = phoneDigits(input)
  if (digits === "") return input.trim().startsWith("+") ? "+" : ""
  if (!digits.startsWith("7")) return `+${digits}`
  const [code, first, second, third] = [digits.slice(1, 4), digits.slice(4, 7), digits.slice(7, 9), digits.slice(9, 11)]
  let text = "+7"
  if (code !== "") text += ` ${code}`
  if (first !== "") text += ` ${first}`
  if (second !== "") text += `-${second}`
  if (third !== "") text += `-${third}`
  return text
}

/** The number as the core takes it (E.164), or null while it is not whole. Whether it is a mobile one the core knows. */
export function toE164(input: string): string | null {
  const digits = phoneDigits(input)
  const isWhole = digits.startsWith("7") ? /^7\d{10}$/.test(digits) : digits.length >= SHORTEST
  return isWhole ? `+${digits}` : null
}

/** Where the caret belongs after formatting: before the same digits as before it. */
export function caretAfterFormat(raw: string, caret: number, formatted: string): number {
  let behind = raw.slice(caret).replace(/\D/g, "").length
  let position = formatted.length
  while (behind > 0 && position > 0) {
    position -= 1
    if (/\d/.test(formatted.charAt(position))) behind -= 1
  }
  return position
}

function cut(digits: string): string {
  return digits.slice(0, digits.startsWith("7") ? RUSSIAN_LENGTH : LONGEST)
}
