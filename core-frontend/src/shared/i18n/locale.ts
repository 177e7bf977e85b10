/** The language of the pages: Russian unless the person chose otherwise, which the browser remembers. */
import { i18n, type Messages } from "@lingui/core"

import { messages as russian } from "@/shared/i18n/locales/ru.po"
import { typeset } from "@/shared/i18n/typeset"

export type Locale = "ru" | "en"

export const LOCALES: readonly { code: Locale; name: string }[] = [
  { code: "ru", name: "Русский" },
  { code: "en", name: "English" },
]

const MEMORY = "tochka.locale"

export function currentLocale(): Locale {
  return i18n.locale === "en" ? "en" : "ru"
}

export function storedLocale(): Locale {
  return localStorage.getItem(MEMORY) === "en" ? "en" : "ru"
}

/** Whether the person chose a language in this browser, or merely got the usual one. */
export function hasChosenLocale(): boolean {
  return localStorage.getItem(MEMORY) !== null
}

export async function activateLocale(locale: Locale): Promise<void> {
  i18n.loadAndActivate({ locale, messages: await messagesOf(locale) })
  document.documentElement.lang = locale
}

export async function chooseLocale(locale: Locale): Promise<void> {
  // remembered first: who hears of the change may ask whether it was a choice
  localStorage.setItem(MEMORY, locale)
  await activateLocale(locale)
}

async function messagesOf(locale: Locale): Promise<Messages> {
  if (locale === "ru") return typeset(russian)
  return (await import("@/shared/i18n/locales/en.po")).messages
}
