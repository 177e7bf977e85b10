/** What an entry of the trail says, in words. A deed that the panel does not know yet is shown by its code. */
import type { I18n, MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"

import type { AuditEntry } from "@/features/audit/queries"

/** `bad` is what one should look at, `good` what began or came back, `plain` everything else. */
export type Tone = "good" | "bad" | "plain"

interface Words {
  text: MessageDescriptor
  tone?: Tone
}

type Tell = (entry: AuditEntry, fact: (name: string) => string) => Words

const ROLES: Record<string, MessageDescriptor> = { owner: msg`Владелец`, admin: msg`Администратор`, staff: msg`Сотрудник` }
/** Deeds that are done to a person: `subject_id` says to whom. */
const TO_PEOPLE = /^(member\.(removed|role_changed)|handover\.)/

/** Nouns and passives: they fit whoever did it. */
const DEEDS: Record<string, Tell> = {
  "account.recovered": (_, fact) => {
    const phone = fact("phone")
    return { text: msg`Поддержка вернула доступ: вход по номеру ${phone}`, tone: "bad" }
  },
  "codes.refused": () => ({ text: msg`Слишком много неверных кодов`, tone: "bad" }),
  "handover.accepted": () => ({ text: msg`Передача бизнеса принята`, tone: "bad" }),
  "handover.declined": () => ({ text: msg`Передача бизнеса отклонена` }),
  "handover.offered": () => ({ text: msg`Предложена передача бизнеса`, tone: "bad" }),
  "handover.withdrawn": () => ({ text: msg`Передача бизнеса отозвана` }),
  "installation.activated": (_, fact) => {
    const host = fact("host")
    return { text: msg`Запущен модуль ${host}`, tone: "good" }
  },
  "installation.entered": () => ({ text: msg`Вход в управление модулем` }),
  "installation.removed": () => ({ text: msg`Модуль удалён`, tone: "bad" }),
  "installation.undone": () => ({ text: msg`Модуль не запустился, запуск отменён`, tone: "bad" }),
  "invitation.accepted": (_, fact) => {
    const role = fact("role")
    return { text: msg`Приглашение принято, роль: ${role}`, tone: "good" }
  },
  "invitation.declined": () => ({ text: msg`Приглашение отклонено` }),
  "invitation.made": (_, fact) => {
    const [phone, role] = [fact("phone"), fact("role")]
    return { text: msg`Приглашение для ${phone}, роль: ${role}` }
  },
  "invitation.withdrawn": () => ({ text: msg`Приглашение отозвано` }),
  "keys.rotated": () => ({ text: msg`Сменились ключи подписи` }),
  "member.left": () => ({ text: msg`Выход из команды` }),
  "member.removed": () => ({ text: msg`Удаление из команды`, tone: "bad" }),
  "member.role_changed": (_, fact) => {
    const [before, role] = [fact("before"), fact("role")]
    return { text: msg`Роль изменена: ${before} → ${role}` }
  },
  "password.refused": () => ({ text: msg`Слишком много неверных паролей`, tone: "bad" }),
  "password.removed": () => ({ text: msg`Пароль удалён` }),
  "password.set": () => ({ text: msg`Задан новый пароль` }),
  "person.not_recognised": () => ({ text: msg`Вход остановлен: номер мог перейти к другому человеку`, tone: "bad" }),
  "person.reauthenticated": ({ data }) => ({
    text: data["method"] === "pwd" ? msg`Личность подтверждена паролем` : msg`Личность подтверждена кодом`,
  }),
  "person.signed_in": ({ data }) => ({
    text: data["method"] === "pwd" ? msg`Вход по паролю` : msg`Вход по коду`,
    tone: "good",
  }),
  "person.signed_out": () => ({ text: msg`Выход` }),
  "person.signed_up": () => ({ text: msg`Регистрация`, tone: "good" }),
  "phone.change_cancelled": () => ({ text: msg`Смена номера отменена` }),
  "phone.change_refused": () => ({ text: msg`Номер не сменился: он уже у другого аккаунта`, tone: "bad" }),
  "phone.change_requested": (_, fact) => {
    const phone = fact("new_phone")
    return { text: msg`Начата смена номера на ${phone}` }
  },
  "phone.changed": (_, fact) => {
    const phone = fact("new_phone")
    return { text: msg`Номер изменён на ${phone}`, tone: "bad" }
  },
  "phone.released": (_, fact) => {
    const phone = fact("phone")
    return { text: msg`Номер ${phone} перешёл к другому аккаунту`, tone: "bad" }
  },
  "session.ended": () => ({ text: msg`Завершён сеанс на другом устройстве` }),
  "session.replayed": () => ({ text: msg`Сеанс завершён для защиты: его ключ пришёл ещё раз`, tone: "bad" }),
  "tenant.created": (_, fact) => {
    const name = fact("name")
    return { text: msg`Создан бизнес: ${name}`, tone: "good" }
  },
  "tenant.renamed": (_, fact) => {
    const name = fact("name")
    return { text: msg`Новое название бизнеса: ${name}` }
  },
  "trail.doubted": (_, fact) => {
    const seal = fact("seal")
    return { text: msg`Печать журнала № ${seal} поставлена не платформой`, tone: "bad" }
  },
  "webhook_endpoint.changed": () => ({ text: msg`Изменён вебхук` }),
  "webhook_endpoint.created": (_, fact) => {
    const host = fact("host")
    return { text: msg`Добавлен вебхук на ${host}` }
  },
  "webhook_endpoint.deleted": (_, fact) => {
    const host = fact("host")
    return { text: msg`Удалён вебхук на ${host}`, tone: "bad" }
  },
  "webhook_endpoint.disabled": ({ data }) => {
    if (data["reason"] === "gone") return { text: msg`Вебхук отключён: по адресу ответили, что его больше нет`, tone: "bad" }
    if (data["reason"] === "failing") return { text: msg`Вебхук отключён: он слишком долго не принимал события`, tone: "bad" }
    return { text: msg`Вебхук отключён` }
  },
  "webhook_endpoint.enabled": () => ({ text: msg`Вебхук включён`, tone: "good" }),
  "webhook_endpoint.failing": (_, fact) => {
    const percent = fact("percent")
    return { text: msg`Вебхук не принимает события: до отключения пройдено ${percent} % времени`, tone: "bad" }
  },
  "webhook_endpoint.rotated": () => ({ text: msg`Сменён секрет вебхука` }),
}

export const KNOWN_DEEDS: readonly string[] = Object.keys(DEEDS)

export function describeDeed(entry: AuditEntry, i18n: I18n): { text: string; tone: Tone } {
  const tell = DEEDS[entry.action]
  if (tell === undefined) return { text: entry.action, tone: "plain" }
  const { text, tone = "plain" } = tell(entry, (name) => {
    const value = String(entry.data[name] ?? "")
    const role = ROLES[value]
    return role !== undefined && ["role", "before"].includes(name) ? i18n._(role).toLowerCase() : value
  })
  return { text: i18n._(text), tone }
}

/** Whether nobody knows who it was: neither somebody of the team, nor the platform. */
export function isByStranger({ action, user_id: userId }: AuditEntry): boolean {
  return userId === null && action.endsWith(".refused")
}

/** Whom it was done to, if that is a person. */
export function whomOf({ action, subject_id: subjectId }: AuditEntry): string | null {
  return TO_PEOPLE.test(action) ? subjectId : null
}
