/** Where a tenant's own systems hear of what happens to it: for its owner and administrators. */
import { Trans, useLingui } from "@lingui/react/macro"

import classes from "@/app/pages/webhooks-page.module.css"
import { useTenants } from "@/features/tenants/queries"
import { AddEndpoint } from "@/features/webhooks/add-endpoint"
import { EndpointList } from "@/features/webhooks/endpoint-list"
import { Notice } from "@/shared/ui/notice"
import { PageHeading } from "@/shared/ui/page-heading"

export function WebhooksPage() {
  const { t } = useLingui()
  const { current } = useTenants()
  const mayManage = current !== null && current.role !== "staff"
  return (
    <>
      <div className={classes.top}>
        <PageHeading className={classes.heading}>{t`Вебхуки`}</PageHeading>
        {mayManage && <AddEndpoint />}
      </div>
      <p className={classes.lead}>
        <Trans>Когда в бизнесе что-то происходит, мы отправляем подписанный запрос на адрес вашей системы.</Trans>
      </p>
      {current?.role === "staff" && <Notice tone="plain">{t`Вебхуками управляют владелец и администраторы.`}</Notice>}
      {mayManage && <EndpointList key={current.id} />}
    </>
  )
}
