/** Any error, said in the reader's language, with a way on and, for our own faults, the number to quote to support. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"

import { ApiError } from "@/shared/api/errors"
import { useProblemText } from "@/shared/api/problem-text"
import { Notice } from "@/shared/ui/notice"

interface ProblemNoticeProps {
  error: unknown
  onRetry?: (() => void) | undefined
}

const PASSING = new Set([408, 425, 429])

function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && !PASSING.has(error.status)
}

export function ProblemNotice({ error, onRetry }: ProblemNoticeProps) {
  const describe = useProblemText()
  const { text, requestId } = describe(error)
  // a final no stays one, however often it is asked for
  const action = onRetry && !isFinal(error) && (
    <Button size="compact-sm" variant="white" color="red" onClick={onRetry}>
      <Trans>Повторить</Trans>
    </Button>
  )
  return (
    <Notice tone="bad" action={action}>
      {text}
      {requestId !== null && (
        <small>
          <Trans>Номер обращения: {requestId}</Trans>
        </small>
      )}
    </Notice>
  )
}
