/** The last word: the same way in as the first. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { ArrowRight } from "lucide-react"
import { Link } from "react-router"

import classes from "@/features/landing/sections.module.css"

export function Closing({ startPath }: { startPath: string }) {
  return (
    <section className={classes.closing}>
      <svg viewBox="0 0 300 300" className={classes.sprout} aria-hidden="true">
        <path d="M150 300V150" stroke="#0a3d2b" strokeWidth="22" strokeLinecap="round" />
        <path d="M150 168c0-76 46-124 132-127 4 82-44 127-132 127Z" fill="#0f6a46" />
        <path d="M147 224C143 168 108 134 42 132c0 62 38 94 105 92Z" fill="#0a3d2b" />
      </svg>
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
