/** What the panel knows of an endpoint beside what the core says of it. */
import type { I18n, MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"

import type { Endpoint, EndpointWish } from "@/features/webhooks/queries"

export type Health = "enabled" | "failing" | "disabled"

/** How an endpoint is, in one word: what is wrong comes first. */
export function healthOf({ status, failing_since: failingSince, warned_percent: percent }: Endpoint): Health {
  if (status === "disabled") return "disabled"
  return failingSince !== null && percent > 0 ? "failing" : "enabled"
}

/** The address without its scheme, as far as it fits into a line. */
export function addressOf(url: string): string {
  return url.replace(/^https:\/\//, "").replace(/\/$/, "")
}

export type EventType = NonNullable<EndpointWish["event_types"]>[number]

/** What happened, by the type of the event: all that one can ask to hear of. */
const EVENT_NAMES: Readonly<Record<EventType, MessageDescriptor>> = {
  "tenant.updated": msg`Изменилось название бизнеса`,
  "member.joined": msg`Новый участник команды`,
  "member.changed": msg`Изменилась роль участника`,
  "member.left": msg`Участник ушёл из команды`,
  "installation.live": msg`Модуль открылся`,
  "installation.failed": msg`Модуль не удалось подключить`,
  "installation.removed": msg`Модуль удалён`,
  "subscription.created": msg`Подписка оформлена`,
  "subscription.cancelled": msg`Подписка завершена`,
  "subscription.changed": msg`Изменилась подписка`,
  "domain.added": msg`Подключён адрес магазина`,
  "domain.removed": msg`Отключён адрес магазина`,
  "webhook_endpoint.failing": msg`Вебхук не принимает события`,
  "webhook_endpoint.disabled": msg`Вебхук отключён`,
}

export const EVENT_TYPES = Object.keys(EVENT_NAMES) as readonly EventType[]

/** What an event is called; one that has no words here is called by its type. */
export function eventName(type: string, i18n: I18n): string {
  if (type === "ping") return i18n._(msg`Проверка связи`)
  return type in EVENT_NAMES ? i18n._(EVENT_NAMES[type as EventType]) : type
}

export const VERSIONS: readonly number[] = [1]
