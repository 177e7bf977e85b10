/** Any error, said in the reader's language, with a way on and, for our own faults, the number to quote to support. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"

import { useProblemText } from "@/shared/api/problem-text"
import { Notice } from "@/shared/ui/notice"

interface ProblemNoticeProps {
  error: unknown
  onRetry?: (() => void) | undefined
}

export function ProblemNotice({ error, onRetry }: ProblemNoticeProps) {
  const describe = useProblemText()
  const { text, requestId } = describe(error)
  const action = onRetry && (
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
