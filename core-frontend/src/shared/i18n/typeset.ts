/** Russian typesetting: a dash does not open a line, and a short word does not hang at the end of one. */
import type { Messages } from "@lingui/core"

const SHORT_WORD = /(?<=^|[\s«(])([авикосуАВИКОСУ]|[внзсокидВНЗСОКИД][аоеоти]|[Дд]ля|[Бб]ез|[Пп]ри|[Пп]од|[Нн]ад) (?=\S)/g
const DASH = / (?=—)/g
const NO_BREAK = "\u00a0"

/** The same catalogue, with the blanks that must not break made unbreakable. */
export function typeset(messages: Messages): Messages {
  return Object.fromEntries(Object.entries(messages).map(([id, message]) => [id, typesetPart(message)]))
}

export function typesetText(text: string): string {
  return text.replace(SHORT_WORD, `$1${NO_BREAK}`).replace(DASH, NO_BREAK)
}

/** Compiled messages are strings and nested lists of strings, numbers and choices. */
function typesetPart<T>(part: T): T {
  if (typeof part === "string") return typesetText(part) as T
  if (Array.isArray(part)) return part.map((inner: unknown) => typesetPart(inner)) as T
  if (typeof part === "object" && part !== null) {
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, typesetPart<unknown>(inner)])) as T
  }
  return part
}
