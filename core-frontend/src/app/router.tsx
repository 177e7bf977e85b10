/** The map of the panel. Pages behind the session come as files of their own, so that a visitor's first page is light. */
import { createBrowserRouter, createMemoryRouter, type RouteObject } from "react-router"

import { FocusLayout } from "@/app/layouts/focus-layout"
import { RootLayout } from "@/app/layouts/root-layout"
import { PublicLayout } from "@/app/layouts/public-layout"
import { LandingPage } from "@/app/pages/landing-page"
import { NotFoundPage } from "@/app/pages/not-found-page"
import { RouteErrorPage } from "@/app/pages/route-error-page"

const routes: RouteObject[] = [
  {
    Component: RootLayout,
    ErrorBoundary: RouteErrorPage,
    HydrateFallback: () => null,
    children: [
      { Component: PublicLayout, children: [{ index: true, Component: LandingPage }] },
      {
        path: "register",
        lazy: async () => ({ Component: (await import("@/app/pages/sign-in-page")).RegisterPage }),
      },
      {
        path: "login",
        lazy: async () => ({ Component: (await import("@/app/pages/sign-in-page")).LoginPage }),
      },
      {
        lazy: async () => ({ Component: (await import("@/app/layouts/panel-layout")).PanelLayout }),
        children: [
          {
            path: "select-module",
            lazy: async () => ({ Component: (await import("@/app/pages/select-module-page")).SelectModulePage }),
          },
          {
            path: "installations/:id/progress",
            lazy: async () => ({ Component: (await import("@/app/pages/progress-page")).ProgressPage }),
          },
          {
            path: "dashboard",
            lazy: async () => ({ Component: (await import("@/app/pages/dashboard-page")).DashboardPage }),
          },
          {
            path: "team",
            lazy: async () => ({ Component: (await import("@/app/pages/team-page")).TeamPage }),
          },
          {
            path: "audit",
            lazy: async () => ({ Component: (await import("@/app/pages/audit-page")).AuditPage }),
          },
          {
            path: "webhooks",
            lazy: async () => ({ Component: (await import("@/app/pages/webhooks-page")).WebhooksPage }),
          },
          {
            path: "webhooks/:id",
            lazy: async () => ({ Component: (await import("@/app/pages/webhook-page")).WebhookPage }),
          },
          {
            path: "account",
            lazy: async () => ({ Component: (await import("@/app/pages/account-page")).AccountPage }),
          },
        ],
      },
      { Component: FocusLayout, children: [{ path: "*", Component: NotFoundPage }] },
    ],
  },
]

export function createRouter(initialPath?: string): ReturnType<typeof createBrowserRouter> {
  return initialPath === undefined ? createBrowserRouter(routes) : createMemoryRouter(routes, { initialEntries: [initialPath] })
}
