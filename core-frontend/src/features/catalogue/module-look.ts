/** The name and picture of a module by its id, for places that know only the id. */
import { useLingui } from "@lingui/react"

import { textIn } from "@/features/catalogue/localized"
import type { ModuleLook } from "@/features/catalogue/module-glyph"
import { useModules } from "@/features/catalogue/queries"

export function useModuleLook(): (id: string) => ModuleLook & { name: string } {
  const { i18n } = useLingui()
  const { data } = useModules()
  return (id) => {
    const module = data?.find((candidate) => candidate.id === id)
    if (module === undefined) return { name: id, icon: "", category: "" }
    return { name: textIn(module.name, i18n.locale), icon: module.icon, category: module.category }
  }
}
