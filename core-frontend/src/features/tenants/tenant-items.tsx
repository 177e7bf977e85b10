/** The choice of a tenant inside the profile menu; nothing at all for those who have only one. */
import { Menu } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { useQueryClient } from "@tanstack/react-query"

import { useTenants } from "@/features/tenants/queries"
import { useApi } from "@/shared/api/api-context"

export function TenantItems() {
  const { tenant } = useApi()
  const queries = useQueryClient()
  const { tenants, current } = useTenants()
  if (tenants.length < 2) return null

  function choose(id: string) {
    tenant.choose(id)
    void queries.resetQueries()
  }

  return (
    <>
      <Menu.Divider />
      <Menu.Label>
        <Trans>Бизнес</Trans>
      </Menu.Label>
      <Menu.RadioGroup value={current?.id ?? null} onChange={(id) => choose(id)}>
        {tenants.map(({ id, name }) => (
          <Menu.RadioItem key={id} value={id}>
            {name}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
    </>
  )
}
