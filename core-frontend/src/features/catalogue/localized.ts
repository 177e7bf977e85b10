/** Texts that modules bring in both languages. */
import type { Schemas } from "@/shared/api/api"

export function textIn(text: Schemas["LocalizedText"], locale: string): string {
  return (locale === "en" ? text.en : text.ru) || text.ru || text.en
}
