/** A code to a number that is the person's already: choose the way, get it, type it. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { useMutation } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"

import type { Channel, PendingChallenge } from "@/features/accounts/challenge"
import { ChannelPicker } from "@/features/accounts/channel-picker"
import { CodeForm } from "@/features/accounts/code-form"
import { ASSUMED } from "@/features/accounts/offers"
import { useOffers } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface OwnCodeProps<Done> {
  lead: ReactNode
  ask: (channel: Channel) => Promise<PendingChallenge>
  submit: (challenge: PendingChallenge, code: string) => Promise<Done>
  onDone: (done: Done) => void
  /** Beside the button that sends the code: another way, or a way out. */
  children?: ReactNode
}

export function OwnCode<Done>({ lead, ask, submit, onDone, children }: OwnCodeProps<Done>) {
  const { data: offers = ASSUMED } = useOffers()
  const [chosen, setChosen] = useState<Channel>("max")
  const [challenge, setChallenge] = useState<PendingChallenge | null>(null)
  const channel = offers.some((offer) => offer.channel === chosen) ? chosen : (offers[0]?.channel ?? chosen)
  const request = useMutation({ mutationFn: ask })
  if (challenge !== null) {
    return (
      <CodeForm challenge={challenge} submit={(code) => submit(challenge, code)} onDone={onDone} onResent={setChallenge} />
    )
  }
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (!request.isPending) request.mutate(channel, { onSuccess: setChallenge })
      }}
    >
      <p className={classes.lead}>{lead}</p>
      <ChannelPicker offers={offers} value={channel} onChange={setChosen} />
      {request.isError && <ProblemNotice error={request.error} />}
      <div className={classes.buttons}>
        <Button type="submit" size="md" loading={request.isPending}>
          <Trans>Получить код</Trans>
        </Button>
        {children}
      </div>
    </form>
  )
}
