/** What the panel needs to know of an installation's life. */
import type { Schemas } from "@/shared/api/api"

export type Installation = Schemas["InstallationRead"]
export type InstallationStatus = Schemas["InstallationRead"]["status"]

/** How far an activation has come, finer than its status. */
export type Step = Schemas["Progress"]["step"]

/** Still on its way to `live` or `failed`. */
export function isSettling({ status }: Pick<Installation, "status">): boolean {
  return status === "provisioning"
}
