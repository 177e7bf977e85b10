/**
 * Keeps the language of the pages and that of the account the same: a choice made in this browser is told to the core,
 * for modules greet the owner in it too; where none was made, the account's language is taken over.
 */
import { useLingui } from "@lingui/react"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"

import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { activateLocale, hasChosenLocale, type Locale } from "@/shared/i18n/locale"

export function useAccountLocale(me: Schemas["UserRead"] | undefined): void {
  const { client } = useApi()
  const { i18n } = useLingui()
  const queries = useQueryClient()
  const { mutate } = useMutation({
    mutationFn: (locale: Locale) => read(client.PATCH("/api/v1/me", { body: { locale } })),
    onSuccess: (updated) => queries.setQueryData(["me"], updated),
  })
  const shown = i18n.locale === "en" ? "en" : "ru"
  const known = me?.locale
  useEffect(() => {
    if (known === undefined || known === shown) return
    if (hasChosenLocale()) mutate(shown)
    else void activateLocale(known)
  }, [known, shown, mutate])
}
