/** What a role is called. */
import { useLingui } from "@lingui/react/macro"

import type { Role } from "@/features/tenants/team"

export function useRoleName(): (role: Role) => string {
  const { t } = useLingui()
  return (role) => ({ owner: t`Владелец`, admin: t`Администратор`, staff: t`Сотрудник` })[role]
}
