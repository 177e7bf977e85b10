/** The way from a pressed button to an open storefront, step by step. */
import { Loader } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { Check } from "lucide-react"

import classes from "@/features/installations/activation-progress.module.css"
import type { Installation, Step } from "@/features/installations/installation"
import { hostOf } from "@/shared/format/address"

type Progress = "done" | "now" | "ahead"

export function ActivationSteps({ installation, step }: { installation: Installation; step: Step }) {
  const { t } = useLingui()
  const host = hostOf(installation.url)
  const steps: { text: string; progress: Progress }[] = [
    { text: t`Адрес ${host} занят за вами`, progress: "done" },
    {
      text: step === "retrying" ? t`Модуль пока не отвечает, пробуем ещё раз` : t`Модуль готовит витрину и управление`,
      progress: "now",
    },
    { text: t`Открываем адрес для покупателей`, progress: "ahead" },
  ]
  return (
    <ol aria-label={t`Ход запуска`} className={classes.steps} aria-live="polite">
      {steps.map(({ text, progress }) => (
        <li key={progress} data-progress={progress} aria-current={progress === "now" ? "step" : undefined}>
          <span className={classes.mark} aria-hidden="true">
            {progress === "done" && <Check size={16} strokeWidth={3} />}
            {progress === "now" && <Loader size={18} />}
          </span>
          {text}
        </li>
      ))}
    </ol>
  )
}
