/** The first screen: what it is, in one breath, and the way in. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowRight, Check } from "lucide-react"
import { Link } from "react-router"

import classes from "@/features/landing/hero.module.css"
import { HeroScene } from "@/features/landing/hero-scene"
import { PageHeading } from "@/shared/ui/page-heading"

export function Hero({ startPath }: { startPath: string }) {
  const { t } = useLingui()
  return (
    <section className={classes.clip}>
      <div className={classes.hero}>
      <div className={classes.words}>
        <PageHeading className={classes.heading} title={t`Точка Роста — ваше дело в интернете за минуту`}>
          {t`Ваше дело в интернете — за минуту`}
        </PageHeading>
        <p className={classes.lead}>
          <Trans>
            Интернет-магазин с витриной, заказами и остатками на складе. Программист не нужен: хватит номера телефона.
          </Trans>
        </p>
        <Button
          component={Link}
          to={startPath}
          size="xl"
          className={classes.action}
          rightSection={<ArrowRight size={22} aria-hidden="true" />}
        >
          <Trans>Начать бесплатно</Trans>
        </Button>
        <ul className={classes.facts}>
          <Fact>
            <Trans>Вход по коду в MAX или Telegram</Trans>
          </Fact>
          <Fact>
            <Trans>Карта не нужна</Trans>
          </Fact>
          <Fact>
            <Trans>Ноль процентов с продаж</Trans>
          </Fact>
        </ul>
      </div>
      <HeroScene />
      </div>
    </section>
  )
}

function Fact({ children }: { children: React.ReactNode }) {
  return (
    <li>
      <Check size={18} strokeWidth={2.6} aria-hidden="true" />
      {children}
    </li>
  )
}
