/** The panel's way to the core: a client typed by the core's own OpenAPI, with the session and the tenant put on. */
import createClient, { type Client } from "openapi-fetch"

import { isApiError, toApiError } from "@/shared/api/errors"
import { randomKey } from "@/shared/api/random-key"
import type { components, paths } from "@/shared/api/schema"
import { Session, type SessionDependencies } from "@/shared/api/session"
import { StepUp } from "@/shared/api/step-up"
import { type Memory, TenantChoice } from "@/shared/api/tenant-choice"
import { createTransport, type Send, type TransportSettings } from "@/shared/api/transport"

export type Schemas = components["schemas"]

export interface Api {
  client: Client<paths>
  session: Session
  tenant: TenantChoice
  stepUp: StepUp
}

export interface ApiSettings {
  /** Where the core answers; empty in the browser, where panel and core share an origin. */
  baseUrl?: string
  locale: () => string
  transport?: Partial<TransportSettings>
  browser: Omit<SessionDependencies, "renew" | "revoke"> & { memory: Memory }
}

/** Calls that live before or beside a session: a 401 from them means what it says. */
const SESSIONLESS = /^\/api\/v1\/auth\//
/** Calls that are about one tenant. */
const TENANT_OWNED = /^\/api\/v1\/(installations|subscriptions|subdomains|webhook-endpoints|deliveries|replays)(\/|$)/

export function createApi({ baseUrl = "", locale, transport, browser }: ApiSettings): Api {
  const send = createTransport(transport)
  const tenant = new TenantChoice(browser.memory)
  const plain = createClient<paths>({ baseUrl, fetch: refusing(withLocale(send, locale)) })
  const session = new Session({
    ...browser,
    // Rotation is idempotent for half a minute (the loser of a race gets the same successor), so it may be repeated.
    renew: () => read(plain.POST("/api/v1/auth/refresh", { body: {}, headers: { "Idempotency-Key": randomKey() } })),
    revoke: async (token) => {
      await plain.POST("/api/v1/auth/logout", token === null ? {} : { headers: { Authorization: `Bearer ${token}` } })
      tenant.forget()
    },
  })
  const stepUp = new StepUp()
  const inSession = withSession(withLocale(send, locale), session, tenant)
  const client = createClient<paths>({ baseUrl, fetch: refusing(withStepUp(inSession, stepUp)) })
  return { client, session, tenant, stepUp }
}

/** The body of an answer. Refusals have been thrown by then, so there is one unless the answer has none. */
export async function read<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call
  return data as T
}

function withLocale(send: Send, locale: () => string): Send {
  return (request) => {
    request.headers.set("Accept-Language", locale())
    return send(request)
  }
}

function withSession(send: Send, session: Session, tenant: TenantChoice): Send {
  return async (request) => {
    const path = new URL(request.url).pathname
    if (SESSIONLESS.test(path)) return send(request)
    if (tenant.id !== null && TENANT_OWNED.test(path)) request.headers.set("X-Tenant-ID", tenant.id)
    const token = await session.token()
    const answer = await send(authorised(request, token))
    if (answer.status !== 401 || token === null || (await needsStepUp(answer))) return answer
    const renewed = await session.refresh(token)
    return renewed ? send(authorised(request, await session.token())) : answer
  }
}

/** A call that is refused until the person is asked again is repeated once they were; the refusal has changed nothing. */
function withStepUp(send: Send, stepUp: StepUp): Send {
  return async (request) => {
    const answer = await send(request.clone())
    if (!(await needsStepUp(answer))) return answer
    return (await stepUp.ask()) ? send(request) : answer
  }
}

async function needsStepUp(answer: Response): Promise<boolean> {
  return answer.status === 401 && isApiError(await toApiError(answer.clone()), "accounts.reauthentication_needed")
}

function authorised(request: Request, token: string | null): Request {
  const copy = request.clone()
  if (token !== null) copy.headers.set("Authorization", `Bearer ${token}`)
  return copy
}

function refusing(send: Send): Send {
  return async (request) => {
    const answer = await send(request)
    if (!answer.ok) throw await toApiError(answer)
    return answer
  }
}
