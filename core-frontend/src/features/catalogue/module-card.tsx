/** One module of the catalogue. */
import { useLingui } from "@lingui/react"
import { type ReactNode, useId } from "react"

import { textIn } from "@/features/catalogue/localized"
import classes from "@/features/catalogue/module-card.module.css"
import { ModuleGlyph } from "@/features/catalogue/module-glyph"
import { PlanTerms } from "@/features/catalogue/plan-terms"
import type { Module } from "@/features/catalogue/queries"

interface ModuleCardProps {
  module: Module
  /** Draws the way on from here, given the module's name. */
  action: (name: string) => ReactNode
  headingLevel: 2 | 3
}

export function ModuleCard({ module, action, headingLevel }: ModuleCardProps) {
  const { i18n } = useLingui()
  const titleId = useId()
  const Heading = headingLevel === 2 ? "h2" : "h3"
  const name = textIn(module.name, i18n.locale)
  const plan = module.plans[0]
  return (
    <article className={classes.card} aria-labelledby={titleId} data-testid={`module-${module.id}`}>
      <header className={classes.header}>
        <ModuleGlyph module={module} />
        <div>
          <Heading id={titleId} className={classes.name}>
            {name}
          </Heading>
          <p className={classes.publisher}>{module.publisher.name}</p>
        </div>
      </header>
      <p className={classes.summary}>{textIn(module.summary, i18n.locale)}</p>
      <p className={classes.description}>{textIn(module.description, i18n.locale)}</p>
      <footer className={classes.footer}>
        {plan !== undefined && (
          <span className={classes.terms}>
            <PlanTerms plan={plan} />
          </span>
        )}
        {action(name)}
      </footer>
    </article>
  )
}
