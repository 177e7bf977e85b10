/** The language of the pages: the one that the person chose, which the browser remembers, else the one that the browser asks for. */
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

/** The language chosen in this browser; else the first of ours that the browser itself prefers; else Russian. */
export function preferredLocale(): Locale {
  const wishes = [localStorage.getItem(MEMORY) ?? "", ...navigator.languages]
  const wish = wishes.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === "ru" || tag === "en")
  return wish === "en" ? "en" : "ru"
}

/** Whether the person chose a language in this browser, or merely got the usual one. */
export function hasChosenLocale(): boolean {
  return localStorage.getItem(MEMORY) !== null
}

export async function loadLocale(locale: Locale): Promise<void> {
  i18n.loadAndActivate({ locale, messages: await messagesOf(locale) })
}

export async function activateLocale(locale: Locale): Promise<void> {
  await loadLocale(locale)
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
