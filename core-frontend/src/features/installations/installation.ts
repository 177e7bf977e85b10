/** What the panel needs to know of an installation's life. */
import type { Schemas } from "@/shared/api/api"

export type Installation = Schemas["Installation"]
export type InstallationStatus = Schemas["InstallationStatus"]

const SETTLING: readonly InstallationStatus[] = ["requested", "provisioning"]
const STATUSES: readonly string[] = [...SETTLING, "live", "suspended", "failed", "gone"]

/** Still on its way to `live` or `failed`. */
export function isSettling({ status }: Pick<Installation, "status">): boolean {
  return SETTLING.includes(status)
}

export function isStatus(value: unknown): value is InstallationStatus {
  return typeof value === "string" && STATUSES.includes(value)
}
