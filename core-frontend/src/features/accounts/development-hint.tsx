/** Where no messenger is involved: says where the code has gone instead. */
import { Trans } from "@lingui/react/macro"

import classes from "@/features/accounts/steps.module.css"

export function DevelopmentHint({ phone }: { phone: string }) {
  return (
    <p className={classes.hint}>
      <Trans>
        Платформа запущена на этом компьютере, и код никуда не ушёл. Он здесь:{" "}
        <a href={`/dev/inbox?phone=${encodeURIComponent(phone)}`} target="_blank" rel="noreferrer">
          Входящие для разработки
        </a>
      </Trans>
    </p>
  )
}
