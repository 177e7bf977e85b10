/** Sends a test event, and says what came of it. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Send } from "lucide-react"
import type { ReactNode } from "react"

import { useSendTest, useTestResult, wasTried } from "@/features/webhooks/deliveries"
import { describeTry } from "@/features/webhooks/outcome"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

/** The button, and apart from it what it brought. */
export function useTest(endpointId: string): { button: ReactNode; result: ReactNode } {
  const test = useSendTest(endpointId)
  const eventId = test.data?.event_id ?? null
  const button = (
    <Button loading={test.isPending} leftSection={<Send size={17} aria-hidden="true" />} onClick={() => test.mutate()}>
      <Trans>Проверить</Trans>
    </Button>
  )
  const result = test.isError ? <ProblemNotice error={test.error} /> : eventId !== null && <TestResult key={eventId} eventId={eventId} />
  return { button, result }
}

function TestResult({ eventId }: { eventId: string }) {
  const { i18n } = useLingui()
  const { data: delivery = null } = useTestResult(eventId)
  if (delivery === null || !wasTried(delivery)) {
    return (
      <Notice tone="plain">
        <Trans>Отправили проверку, ждём ответа…</Trans>
      </Notice>
    )
  }
  const what = describeTry(delivery.last_response_status, delivery.last_error, i18n)
  return delivery.status === "delivered" ? (
    <Notice tone="good">
      <Trans>Адрес принял проверку: {what}.</Trans>
    </Notice>
  ) : (
    <Notice tone="bad">
      <Trans>Адрес не принял проверку: {what}. Подробности — в доставках.</Trans>
    </Notice>
  )
}
