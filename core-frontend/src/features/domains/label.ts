/** Subdomain labels: the rule of the platform, and how what people type is bent towards it. */

import { transliterate } from "@/features/domains/transliterate"

export const LONGEST_LABEL = 32
const LABEL = /^[a-z0-9](?:[a-z0-9-]{1,30}[a-z0-9])$/

export type Malformed = "short" | "edge" | "dashes"

/** Why a label cannot be an address, or null when it can. */
export function malformation(label: string): Malformed | null {
  if (label.length < 3) return "short"
  if (label.startsWith("-") || label.endsWith("-")) return "edge"
  if (label.slice(2, 4) === "--" || !LABEL.test(label)) return "dashes"
  return null
}

/** What is typed, made fit: Cyrillic spelt in Latin letters, blanks as hyphens, a pasted address reduced to its label. */
export function labelFromTyping(text: string): string {
  const address = /^\s*https?:\/\/([^/.]*)/i.exec(text)
  return transliterate(address?.[1] ?? text)
    .replace(/[\s_.]+/g, "-")
    .replace(/[^a-z0-9-]/g, "")
    .replace(/^-+/, "")
    .slice(0, LONGEST_LABEL)
}

/** Addresses to offer for a business of this name; none when nothing of it survives. */
export function suggestions(name: string, module: string): string[] {
  const words = transliterate(name)
    .replace(/[^a-z0-9]+/g, " ")
    .trim()
    .split(" ")
    .filter((word) => word !== "")
  const whole = words.join("-")
  const longest = words.reduce((best, word) => (word.length > best.length ? word : best), "")
  const candidates = [whole, longest, `${longest}-${module}`, `my-${longest}`]
  return [...new Set(candidates.map((label) => label.slice(0, LONGEST_LABEL).replace(/-+$/, "")))]
    .filter((label) => longest.length >= 3 && /[a-z]/.test(longest) && malformation(label) === null)
    .slice(0, 4)
}
