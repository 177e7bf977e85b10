/** The last word: the same way in as the first. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { ArrowRight } from "lucide-react"
import { Link } from "react-router"

import classes from "@/features/landing/sections.module.css"

export function Closing({ startPath }: { startPath: string }) {
  return (
    <section className={classes.closing}>
      <h2>
        <Trans>Откройте своё дело сегодня</Trans>
      </h2>
      <p>
        <Trans>Через минуту у вас будет витрина, которую можно показать первому покупателю.</Trans>
      </p>
      <Button
        component={Link}
        to={startPath}
        size="xl"
        variant="white"
        rightSection={<ArrowRight size={22} aria-hidden="true" />}
      >
        <Trans>Начать бесплатно</Trans>
      </Button>
    </section>
  )
}
