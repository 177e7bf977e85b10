/** What every page stands in: texts, theme, the api and its cache, the router. */
import { i18n } from "@lingui/core"
import { I18nProvider } from "@lingui/react"
import { MantineProvider } from "@mantine/core"
import { QueryClientProvider } from "@tanstack/react-query"
import { useEffect, useState } from "react"
import { RouterProvider } from "react-router"

import { createQueries } from "@/app/queries"
import { createRouter } from "@/app/router"
import type { Api } from "@/shared/api/api"
import { ApiContext } from "@/shared/api/api-context"
import { theme } from "@/shared/theme"

interface AppProps {
  api: Api
  /** Given by tests, which have no address bar. */
  initialPath?: string
}

export function App({ api, initialPath }: AppProps) {
  const [queries] = useState(createQueries)
  const [router] = useState(() => createRouter(initialPath))
  useEffect(() => api.session.subscribe(() => {
    // another person may sign in next: nothing of the last one stays
    if (api.session.status !== "active") queries.clear()
  }), [api, queries])
  return (
    <I18nProvider i18n={i18n}>
      <MantineProvider theme={theme} forceColorScheme="light" withCssVariables={false} withGlobalClasses={false}>
        <ApiContext value={api}>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ApiContext>
      </MantineProvider>
    </I18nProvider>
  )
}
