/** The first page of the house. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowRight } from "lucide-react"
import { Link } from "react-router"

import classes from "@/app/pages/landing-page.module.css"
import { CatalogueGrid } from "@/features/catalogue/catalogue-grid"
import { Closing } from "@/features/landing/closing"
import { Hero } from "@/features/landing/hero"
import { HowItWorks } from "@/features/landing/how-it-works"
import { Promises } from "@/features/landing/promises"
import { Questions } from "@/features/landing/questions"
import { useSessionStatus } from "@/shared/api/api-context"

export function LandingPage() {
  const { t } = useLingui()
  const isSignedIn = useSessionStatus() === "active"
  const startPath = isSignedIn ? "/select-module" : "/register"
  return (
    <>
      <Hero startPath={startPath} />
      <HowItWorks />
      <section className={`${classes.catalogue} needs-scripts`} aria-labelledby="catalogue">
        <h2 id="catalogue">
          <Trans>Каталог модулей</Trans>
        </h2>
        <p>
          <Trans>Модуль — готовое дело целиком: витрина для покупателей и управление для вас.</Trans>
        </p>
        <CatalogueGrid
          headingLevel={3}
          action={(module, name) => (
            <Button
              component={Link}
              to={openPath(module.id, isSignedIn)}
              size="md"
              aria-label={t`Открыть: ${name}`}
              rightSection={<ArrowRight size={18} aria-hidden="true" />}
            >
              <Trans>Открыть</Trans>
            </Button>
          )}
        />
      </section>
      <Promises />
      <Questions />
      <Closing startPath={startPath} />
    </>
  )
}

/** Straight to the module's address step; by way of the sign-up for those who have not been here. */
function openPath(module: string, isSignedIn: boolean): string {
  const target = `/select-module?${new URLSearchParams({ module }).toString()}`
  return isSignedIn ? target : `/register?${new URLSearchParams({ next: target }).toString()}`
}
