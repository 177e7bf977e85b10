/** How an endpoint is, in a word and a colour. */
import type { MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { useLingui } from "@lingui/react"

import { type Health, healthOf } from "@/features/webhooks/endpoint"
import type { Endpoint } from "@/features/webhooks/queries"
import { Badge, type BadgeTone } from "@/shared/ui/badge"

const WORDS: Readonly<Record<Health, { name: MessageDescriptor; tone: BadgeTone }>> = {
  enabled: { name: msg`Работает`, tone: "good" },
  failing: { name: msg`Не отвечает`, tone: "bad" },
  disabled: { name: msg`Отключён`, tone: "plain" },
}

export function EndpointBadge({ endpoint }: { endpoint: Endpoint }) {
  const { i18n } = useLingui()
  const { name, tone } = WORDS[healthOf(endpoint)]
  return <Badge tone={tone}>{i18n._(name)}</Badge>
}
