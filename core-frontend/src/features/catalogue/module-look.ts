/** The name of a module by its id, for places that know only the id. */
import { useLingui } from "@lingui/react"

import { textIn } from "@/features/catalogue/localized"
import { useModules } from "@/features/catalogue/queries"

export function useModuleLook(): (id: string) => { name: string; category: string } {
  const { i18n } = useLingui()
  const { data } = useModules()
  return (id) => {
    const module = data?.find((candidate) => candidate.id === id)
    return module === undefined ? { name: id, category: "" } : { name: textIn(module.name, i18n.locale), category: module.category }
  }
}
