/** What the panel says about each problem. Codes are the core's stable ones; one that is not listed speaks for itself. */
import type { I18n, MessageDescriptor } from "@lingui/core"
import { msg, plural } from "@lingui/core/macro"
import { useLingui } from "@lingui/react"
import { useCallback } from "react"

import { ApiError, ConnectionLost, TimedOut } from "@/shared/api/errors"

export interface ProblemText {
  text: string
  /** Given for faults on our side, so that support can find them. */
  requestId: string | null
}

const BY_CODE: Record<string, MessageDescriptor> = {
  "accounts.phone_invalid": msg`Проверьте номер: такого телефона не бывает.`,
  "accounts.phone_not_mobile": msg`Код приходит только на мобильный номер, например +7 999 123-45-67.`,
  "accounts.channel_unavailable": msg`Этот мессенджер сейчас не отвечает. Выберите другой способ получить код.`,
  "accounts.sending_paused": msg`Сегодня этим способом кодов больше не отправить. Выберите другой способ или попробуйте завтра.`,
  "accounts.code_expired": msg`Срок действия кода истёк. Запросите новый.`,
  "accounts.code_used": msg`Этот код уже использован. Запросите новый.`,
  "accounts.challenge_unknown": msg`Срок действия кода истёк. Запросите новый.`,
  "accounts.credentials_wrong": msg`Номер или пароль не подошли. Войти по коду можно всегда.`,
  "accounts.password_wrong": msg`Это не ваш нынешний пароль.`,
  "accounts.password_refused": msg`Такой пароль не подойдёт. Придумайте другой.`,
  "accounts.too_many_passwords": msg`Слишком много неверных паролей. Войдите по коду или попробуйте позже.`,
  "accounts.passwords_busy": msg`Сейчас входит слишком много людей. Попробуйте ещё раз через несколько секунд.`,
  "accounts.reauthentication_needed": msg`Подтвердите, что это вы: кодом или паролем.`,
  "accounts.confirmation_needed": msg`У этого номера уже есть аккаунт, но похоже, что номер сменил владельца. Подтвердите, что аккаунт ваш, или начните заново.`,
  "accounts.phone_unchanged": msg`Это и так ваш номер.`,
  "accounts.phone_taken": msg`Этот номер занят другим аккаунтом.`,
  "accounts.phone_missing": msg`У аккаунта нет номера, на который можно отправить код.`,
  "accounts.phone_change_unknown": msg`Эта смена номера уже отменена или завершена.`,
  "signup.interrupted": msg`Код верный, но войти сейчас не получилось. Запросите новый код.`,
  "domains.taken": msg`Этот адрес только что заняли. Выберите другой.`,
  "domains.reserved": msg`Этот адрес зарезервирован. Выберите другой.`,
  "domains.malformed": msg`Такой адрес не подойдёт: только латинские буквы, цифры и дефис.`,
  "domains.quarantined": msg`Этот адрес недавно освободился и пока никому не выдаётся. Выберите другой.`,
  "catalogue.module_unknown": msg`Такого модуля нет в каталоге.`,
  "catalogue.plan_unknown": msg`Такого тарифа у модуля больше нет. Обновите страницу и выберите другой.`,
  "tenants.access_denied": msg`У вас нет доступа к этому бизнесу.`,
  "tenants.role_required": msg`На это у вашей роли нет прав.`,
  "tenants.member_unknown": msg`Этого человека уже нет в команде.`,
  "tenants.last_owner": msg`У бизнеса должен остаться владелец. Сначала передайте его другому.`,
  "tenants.already_member": msg`Этот человек уже в команде.`,
  "tenants.already_invited": msg`Этот номер уже приглашён. Чтобы пригласить заново, отзовите прежнее приглашение.`,
  "tenants.too_many_invitations": msg`Слишком много приглашений ждут ответа. Отзовите лишние.`,
  "tenants.handover_unknown": msg`Это предложение больше не действует.`,
  "tenants.already_owner": msg`Этот человек уже владелец.`,
  "tenants.invitation_unknown": msg`Это приглашение больше не действует.`,
  "endpoints.unknown": msg`Этого вебхука больше нет.`,
  "endpoints.too_many": msg`Вебхуков уже столько, сколько можно. Удалите лишние.`,
  "endpoints.url_refused": msg`На такой адрес отправлять нельзя. Нужен адрес в интернете, который начинается с https://, без логина и пароля.`,
  "webhooks.delivery_unknown": msg`Этой доставки больше нет.`,
  "webhooks.delivery_unsettled": msg`Эту доставку ещё не пробовали отправить: мы сделаем это сами.`,
  "webhooks.endpoint_disabled": msg`Вебхук отключён. Сначала включите его.`,
  "webhooks.replay_finished": msg`Повторная отправка уже закончилась.`,
  "installations.not_live": msg`Модуль сейчас не работает, поэтому войти в управление не получится.`,
  "installations.closed": msg`Модуль приостановлен вместе с подпиской, поэтому войти в управление не получится.`,
  "request.invalid": msg`Проверьте, всё ли заполнено верно.`,
  "request.not_found": msg`Этого уже нет. Обновите страницу.`,
}

/** Why a field was refused, where that says more than the problem as a whole. */
const BY_FIELD: Record<string, MessageDescriptor> = {
  password_common: msg`Такой пароль слишком простой: его угадают с первых попыток. Придумайте другой — например, три-четыре случайных слова.`,
  password_is_phone: msg`В пароле почти ничего нет, кроме вашего номера телефона. Придумайте другой.`,
  password_is_product: msg`В пароле почти ничего нет, кроме названия сайта. Придумайте другой.`,
}

const BY_STATUS: Record<number, MessageDescriptor> = {
  401: msg`Сессия закончилась. Войдите ещё раз.`,
  403: msg`На это у вас нет прав.`,
  404: msg`Этого уже нет. Обновите страницу.`,
}

export function useProblemText(): (error: unknown) => ProblemText {
  const { i18n } = useLingui()
  return useCallback((error: unknown) => describeProblem(error, i18n), [i18n])
}

export function describeProblem(error: unknown, i18n: I18n): ProblemText {
  if (error instanceof ConnectionLost) return plain(i18n._(msg`Нет связи с сервером. Проверьте интернет и попробуйте ещё раз.`))
  if (error instanceof TimedOut) return plain(i18n._(msg`Сервер долго не отвечает. Попробуйте ещё раз.`))
  if (error instanceof ApiError) return describeRefusal(error, i18n)
  return plain(i18n._(msg`Что-то пошло не так. Обновите страницу и попробуйте ещё раз.`))
}

function describeRefusal(error: ApiError, i18n: I18n): ProblemText {
  if (error.code === "accounts.code_wrong") return plain(wrongCode(error.extra["tries_left"], i18n))
  if (error.code === "accounts.too_many_tries") return plain(tooManyTries(error.retryAfter, i18n))
  const fieldCode = error.fields.find(({ code }) => code !== undefined && code in BY_FIELD)?.code
  const known = (fieldCode === undefined ? undefined : BY_FIELD[fieldCode]) ?? BY_CODE[error.code]
  if (known !== undefined) return plain(i18n._(known))
  if (error.status === 429) return plain(slowDown(error.retryAfter, i18n))
  if (error.status >= 500) {
    const text = i18n._(msg`Ошибка на нашей стороне. Попробуйте ещё раз через минуту.`)
    return { text, requestId: error.requestId }
  }
  const byStatus = BY_STATUS[error.status]
  return plain(error.detail || i18n._(byStatus ?? msg`Сервер не принял запрос. Попробуйте ещё раз.`))
}

function wrongCode(triesLeft: unknown, i18n: I18n): string {
  if (triesLeft === 0) return tooManyTries(null, i18n)
  if (typeof triesLeft !== "number") return i18n._(msg`Код не подошёл. Проверьте цифры и попробуйте ещё раз.`)
  return i18n._(
    msg`Код не подошёл. ${plural(triesLeft, { one: "Осталась # попытка", few: "Осталось # попытки", many: "Осталось # попыток", other: "Осталось # попытки" })}.`,
  )
}

function tooManyTries(seconds: number | null, i18n: I18n): string {
  if (seconds === null || seconds < 1) return i18n._(msg`Слишком много неверных попыток. Запросите новый код.`)
  const minutes = minutesOf(seconds)
  return i18n._(
    msg`Слишком много неверных попыток. Запросите новый код через ${plural(minutes, { one: "# минуту", few: "# минуты", many: "# минут", other: "# минуты" })}.`,
  )
}

function minutesOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / 60))
}

function slowDown(seconds: number | null, i18n: I18n): string {
  if (seconds === null) return i18n._(msg`Слишком много запросов подряд. Подождите немного и попробуйте снова.`)
  const minutes = minutesOf(seconds)
  return i18n._(
    msg`Слишком много запросов подряд. Попробуйте через ${plural(minutes, { one: "# минуту", few: "# минуты", many: "# минут", other: "# минуты" })}.`,
  )
}

function plain(text: string): ProblemText {
  return { text, requestId: null }
}
