/** Whose panel this is, beside the logo. */
import classes from "@/features/tenants/tenant-name.module.css"
import { useTenants } from "@/features/tenants/queries"

export function TenantName() {
  const { current } = useTenants()
  return current === null ? null : <span className={classes.name}>{current.name}</span>
}
