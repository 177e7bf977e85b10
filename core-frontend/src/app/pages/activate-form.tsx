/** The last choices before an activation: address and plan, and what they will cost. */
import { Button, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowLeft, Rocket } from "lucide-react"
import { type SyntheticEvent, useState } from "react"
import { Link, useNavigate, useSearchParams } from "react-router"

import classes from "@/app/pages/select-module-page.module.css"
import { StepTrail } from "@/app/pages/step-trail"
import { textIn } from "@/features/catalogue/localized"
import { ModuleGlyph } from "@/features/catalogue/module-glyph"
import { PlanPicker } from "@/features/catalogue/plan-picker"
import { type Module, useModule } from "@/features/catalogue/queries"
import { AddressStep } from "@/features/domains/address-step"
import { labelFromTyping } from "@/features/domains/label"
import { useAddressState } from "@/features/domains/queries"
import { useActivate } from "@/features/installations/queries"
import { useTenants } from "@/features/tenants/queries"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function ActivateForm({ moduleId }: { moduleId: string }) {
  const { t } = useLingui()
  const module = useModule(moduleId)
  return (
    <div className={classes.narrow}>
      <StepTrail current={2} />
      <PageHeading className={classes.heading}>{t`Выберите адрес`}</PageHeading>
      <p className={classes.lead}>
        <Trans>По нему вас найдут покупатели.</Trans>
      </p>
      {module.isPending && <Skeleton height={280} radius="lg" />}
      {module.isError && (
        <>
          <ProblemNotice error={module.error} onRetry={() => void module.refetch()} />
          <OtherModule />
        </>
      )}
      {module.isSuccess && <Choices module={module.data} />}
    </div>
  )
}

function Choices({ module }: { module: Module }) {
  const navigate = useNavigate()
  const [query, setQuery] = useSearchParams()
  const [label, setLabel] = useState(labelFromTyping(query.get("subdomain") ?? ""))
  const [planCode, setPlanCode] = useState(query.get("plan"))
  const { current: tenant } = useTenants()
  const state = useAddressState(label)
  const activate = useActivate()
  const plan = module.plans.find(({ code }) => code === planCode) ?? module.plans[0] ?? null

  function keep(changes: Readonly<Record<string, string>>) {
    activate.reset()
    setQuery((before) => new URLSearchParams({ ...Object.fromEntries(before), ...changes }), { replace: true })
  }

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (state.kind !== "available" || activate.isPending) return
    activate.mutate(
      { module: module.id, subdomain: label, ...(plan === null ? {} : { plan: plan.code }) },
      { onSuccess: ({ id }) => void navigate(`/installations/${id}/progress`) },
    )
  }

  return (
    <form onSubmit={submit} noValidate className={classes.form}>
      <AddressStep
        label={label}
        state={state}
        onChange={(next) => {
          setLabel(next)
          keep({ subdomain: next })
        }}
        businessName={tenant?.name ?? ""}
        module={module.id}
      />
      <ChosenModule module={module} />
      <PlanPicker
        plans={module.plans}
        entitlements={module.entitlements}
        chosen={plan}
        onChange={(code) => {
          setPlanCode(code)
          keep({ plan: code })
        }}
      />
      {activate.isError && <ProblemNotice error={activate.error} />}
      <div className={classes.submit}>
        <Button
          type="submit"
          size="lg"
          fullWidth
          loading={activate.isPending || activate.isSuccess}
          disabled={state.kind !== "available"}
          leftSection={<Rocket size={20} aria-hidden="true" />}
        >
          <Trans>Запустить</Trans>
        </Button>
      </div>
    </form>
  )
}

function ChosenModule({ module }: { module: Module }) {
  const { i18n } = useLingui()
  return (
    <div className={classes.chosen}>
      <ModuleGlyph module={module} size={44} />
      <div>
        <b>{textIn(module.name, i18n.locale)}</b>
        <p>{textIn(module.summary, i18n.locale)}</p>
      </div>
      <OtherModule />
    </div>
  )
}

function OtherModule() {
  return (
    <Button
      component={Link}
      to="/select-module"
      variant="subtle"
      size="compact-md"
      leftSection={<ArrowLeft size={16} aria-hidden="true" />}
    >
      <Trans>Другой модуль</Trans>
    </Button>
  )
}
