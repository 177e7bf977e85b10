/** What became of a delivery and of its attempts, in words. */
import type { I18n, MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"

import type { Delivery, DeliveryStatus } from "@/features/webhooks/deliveries"
import type { BadgeTone } from "@/shared/ui/badge"

interface Words {
  name: MessageDescriptor
  tone: BadgeTone
}

export const STATUSES: Readonly<Record<DeliveryStatus, Words>> = {
  delivered: { name: msg`Доставлено`, tone: "good" },
  pending: { name: msg`В пути`, tone: "busy" },
  accepted: { name: msg`Принято`, tone: "busy" },
  held: { name: msg`Отложено`, tone: "plain" },
  refused: { name: msg`Отклонено`, tone: "bad" },
  expired: { name: msg`Не доставлено`, tone: "bad" },
  cancelled: { name: msg`Отменено`, tone: "plain" },
}

const ERRORS: Readonly<Record<string, MessageDescriptor>> = {
  url: msg`на такой адрес отправлять нельзя`,
  address_denied: msg`адрес не в интернете`,
  port_denied: msg`порт не разрешён`,
  dns: msg`адрес не найден`,
  connect: msg`нет соединения`,
  connect_timeout: msg`не удалось соединиться вовремя`,
  tls: msg`сертификат не подошёл`,
  timeout: msg`ответа не было вовремя`,
  protocol: msg`ответ не похож на HTTP`,
  internal: msg`сбой на нашей стороне`,
}

/** What one try brought: `ответ 500`, `нет соединения`. Empty before the first. */
export function describeTry(status: number | null, error: string | null, i18n: I18n): string {
  if (error === "redirect") return i18n._(msg`ответ ${status ?? 0}: перенаправление, за ним мы не идём`)
  if (error !== null) return error in ERRORS ? i18n._(ERRORS[error] as MessageDescriptor) : error
  return status === null ? "" : i18n._(msg`ответ ${status}`)
}

export const RETRIED: Words = { name: msg`Повторим`, tone: "busy" }

/** A delivery that waits for its next try is another thing than one that nobody has tried yet. */
export function wordsOf(delivery: Delivery): Words {
  return isRetried(delivery) ? RETRIED : STATUSES[delivery.status]
}

/** Whether it waits for its next try: it can be made at once. */
export function isRetried({ status, attempts }: Delivery): boolean {
  return status === "pending" && attempts > 0
}

/** Whether it can be sent again: what is on its way will be sent anyway. */
export function isSettled({ status }: Delivery): boolean {
  return status !== "pending" && status !== "accepted"
}
