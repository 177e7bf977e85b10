/** One endpoint's settings, and what can be done with it. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { KeyRound, Pencil, Power, Trash2 } from "lucide-react"
import { type ReactNode, useState } from "react"

import { DeleteEndpointDialog } from "@/features/webhooks/delete-endpoint-dialog"
import { EditEndpointDialog } from "@/features/webhooks/edit-endpoint-dialog"
import { EndpointFacts } from "@/features/webhooks/endpoint-facts"
import { type Endpoint, useChangeEndpoint } from "@/features/webhooks/queries"
import { RotateDialog } from "@/features/webhooks/rotate-dialog"
import classes from "@/features/webhooks/webhooks.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { Section } from "@/shared/ui/section"

interface EndpointSectionProps {
  endpoint: Endpoint
  /** Enables a disabled endpoint, for those who also offer what it has missed. */
  onEnable: () => void
  onDeleted: () => void
  /** More to do with a working endpoint. */
  children?: ReactNode
}

type Doing = "edit" | "rotate" | "delete" | null

export function EndpointSection({ endpoint, onEnable, onDeleted, children }: EndpointSectionProps) {
  const { t } = useLingui()
  const [doing, setDoing] = useState<Doing>(null)
  const change = useChangeEndpoint(endpoint.id)
  const close = () => setDoing(null)
  const isEnabled = endpoint.status === "enabled"
  return (
    <Section title={t`Настройки`} lead={endpoint.description === "" ? undefined : endpoint.description}>
      <EndpointFacts endpoint={endpoint} />
      <div className={rows.end}>
        {change.isError && <ProblemNotice error={change.error} />}
        <div className={classes.actions}>
          {isEnabled && children}
          <Button variant="default" leftSection={<Pencil size={17} aria-hidden="true" />} onClick={() => setDoing("edit")}>
            <Trans>Изменить</Trans>
          </Button>
          <Button variant="default" leftSection={<KeyRound size={17} aria-hidden="true" />} onClick={() => setDoing("rotate")}>
            <Trans>Сменить секрет</Trans>
          </Button>
          <Button
            variant={isEnabled ? "default" : "filled"}
            loading={change.isPending}
            leftSection={<Power size={17} aria-hidden="true" />}
            onClick={() => (isEnabled ? change.mutate({ status: "disabled" }) : onEnable())}
          >
            {isEnabled ? <Trans>Отключить</Trans> : <Trans>Включить</Trans>}
          </Button>
          <Button
            variant="default"
            className={classes.danger}
            leftSection={<Trash2 size={17} aria-hidden="true" />}
            onClick={() => setDoing("delete")}
          >
            <Trans>Удалить</Trans>
          </Button>
        </div>
      </div>
      <EditEndpointDialog endpoint={endpoint} isOpen={doing === "edit"} onClose={close} />
      <RotateDialog id={endpoint.id} isOpen={doing === "rotate"} onClose={close} />
      <DeleteEndpointDialog endpoint={endpoint} isOpen={doing === "delete"} onDeleted={onDeleted} onClose={close} />
    </Section>
  )
}
