/** Where one is on the way from nothing to an open storefront. */
import { useLingui } from "@lingui/react/macro"
import { Check } from "lucide-react"

import classes from "@/app/pages/select-module-page.module.css"

export function StepTrail({ current }: { current: 1 | 2 | 3 | "done" }) {
  const { t } = useLingui()
  const steps = [t`Модуль`, t`Адрес`, t`Запуск`]
  return (
    <ol className={classes.trail} aria-label={t`Шаги`}>
      {steps.map((step, index) => {
        const isDone = current === "done" || index + 1 < current
        return (
          <li key={step} data-done={isDone} aria-current={index + 1 === current ? "step" : undefined}>
            <span aria-hidden="true">{isDone ? <Check size={14} strokeWidth={3} /> : index + 1}</span>
            {step}
          </li>
        )
      })}
    </ol>
  )
}
