/** The choice of a module, then of its address. What is chosen stands in the page's own address, so nothing gets lost. */
import { Trans, useLingui } from "@lingui/react/macro"
import { Button } from "@mantine/core"
import { ArrowRight } from "lucide-react"
import { Link, useSearchParams } from "react-router"

import { ActivateForm } from "@/app/pages/activate-form"
import classes from "@/app/pages/select-module-page.module.css"
import { StepTrail } from "@/app/pages/step-trail"
import { CatalogueGrid } from "@/features/catalogue/catalogue-grid"
import { PageHeading } from "@/shared/ui/page-heading"

export function SelectModulePage() {
  const [query] = useSearchParams()
  const module = query.get("module")
  return module === null ? <ModuleChoice /> : <ActivateForm key={module} moduleId={module} />
}

function ModuleChoice() {
  const { t } = useLingui()
  const [query] = useSearchParams()
  return (
    <>
      <StepTrail current={1} />
      <PageHeading className={classes.heading}>{t`Выберите модуль`}</PageHeading>
      <p className={classes.lead}>
        <Trans>Модуль — это готовое дело в интернете. Откройте один сейчас, остальные добавите, когда понадобятся.</Trans>
      </p>
      <CatalogueGrid
        headingLevel={2}
        action={(module, name) => (
          <Button
            component={Link}
            to={`/select-module?${choice(query, module.id)}`}
            size="md"
            aria-label={t`Выбрать: ${name}`}
            rightSection={<ArrowRight size={18} aria-hidden="true" />}
          >
            <Trans>Выбрать</Trans>
          </Button>
        )}
      />
    </>
  )
}

function choice(query: URLSearchParams, module: string): string {
  const next = new URLSearchParams(query)
  next.set("module", module)
  return next.toString()
}
