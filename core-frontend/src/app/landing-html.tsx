/** The landing as plain HTML, made once at build time, for readers without scripts and for the first moment of all others. */
import { i18n } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { StrictMode } from "react"
import { renderToString } from "react-dom/server"

import { App } from "@/app/app"
import { createApi } from "@/shared/api/api"
import type { Memory } from "@/shared/api/tenant-choice"
import { type Locale, loadLocale } from "@/shared/i18n/locale"

const NOBODY: Memory = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined }

export interface LandingHtml {
  title: string
  description: string
  markup: string
}

export async function landingHtml(locale: Locale): Promise<LandingHtml> {
  await loadLocale(locale)
  const api = createApi({ locale: () => i18n.locale, browser: { memory: NOBODY } })
  return {
    title: i18n._(msg`Точка Роста — ваше дело в интернете за минуту`),
    description: i18n._(
      msg`Готовый интернет-магазин без программиста: введите телефон, выберите модуль и адрес — витрина заработает через минуту.`,
    ),
    markup: renderToString(
      <StrictMode>
        <App api={api} initialPath="/" />
      </StrictMode>,
    ),
  }
}
