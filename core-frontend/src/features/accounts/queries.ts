/** Calls of the sign-in: ask for a code, ask again, confirm; or bring a password. */
import { useMutation, useQuery } from "@tanstack/react-query"

import { type PendingChallenge, pendingFrom, type Wanted } from "@/features/accounts/challenge"
import { offersFrom } from "@/features/accounts/offers"
import { read, type Schemas } from "@/shared/api/api"
import { useApi, useSessionStatus } from "@/shared/api/api-context"
import { currentLocale } from "@/shared/i18n/locale"

export type SignedIn = Schemas["SignedIn"]

/** How codes can come here. It changes when the operator restarts the platform, hence seldom. */
export function useOffers() {
  const { client } = useApi()
  return useQuery({
    queryKey: ["channels"],
    queryFn: async ({ signal }) => offersFrom(await read(client.GET("/api/v1/auth/channels", { signal }))),
    staleTime: Infinity,
  })
}

export function useRequestCode() {
  const { client } = useApi()
  return useMutation({
    mutationFn: async (wanted: Wanted): Promise<PendingChallenge> => {
      const { data, response } = await client.POST("/api/v1/auth/challenges", {
        body: { phone: wanted.phone, channel: wanted.channel },
      })
      return pendingFrom(data as Schemas["ChallengeRead"], response, wanted)
    },
  })
}

export function useResendCode() {
  const { client } = useApi()
  return useMutation({
    mutationFn: async (challenge: PendingChallenge): Promise<PendingChallenge> => {
      const { data, response } = await client.POST("/api/v1/auth/challenges/{challenge_id}/resend", {
        params: { path: { challenge_id: challenge.id } },
      })
      return pendingFrom(data as Schemas["ChallengeRead"], response, challenge)
    },
  })
}

/** Signs up or in with a code. */
export function useConfirmCode() {
  const { client, session } = useApi()
  return async ({ id, tenantName }: PendingChallenge, code: string): Promise<SignedIn> => {
    const grant = await read(
      client.POST("/api/v1/auth/challenges/{challenge_id}/confirm", {
        params: { path: { challenge_id: id } },
        body: { code, ...newcomer(tenantName) },
      }),
    )
    session.accept(grant)
    return grant
  }
}

/** Goes on with a number that may have changed hands: with the account's password, or anew. */
export function useRecover() {
  const { client, session } = useApi()
  return useMutation({
    mutationFn: async ({ challenge, password }: { challenge: PendingChallenge; password: string | null }): Promise<SignedIn> => {
      const way = password === null ? ({ way: "anew" } as const) : ({ way: "password", password } as const)
      const grant = await read(
        client.POST("/api/v1/auth/challenges/{challenge_id}/recover", {
          params: { path: { challenge_id: challenge.id } },
          body: { ...way, ...newcomer(challenge.tenantName) },
        }),
      )
      session.accept(grant)
      return grant
    },
  })
}

/** What somebody new is called; it matters to nobody else. */
function newcomer(tenantName: string): { locale: "ru" | "en"; tenant_name?: string } {
  const name = tenantName.trim()
  return { locale: currentLocale(), ...(name === "" ? {} : { tenant_name: name }) }
}

export function useLogin() {
  const { client, session } = useApi()
  return useMutation({
    mutationFn: async (body: { phone: string; password: string }): Promise<SignedIn> => {
      const grant = await read(client.POST("/api/v1/auth/login", { body }))
      session.accept(grant)
      return grant
    },
  })
}

export function useMe() {
  const { client } = useApi()
  const status = useSessionStatus()
  return useQuery({
    queryKey: ["me"],
    queryFn: ({ signal }) => read(client.GET("/api/v1/me", { signal })),
    enabled: status === "active",
    staleTime: Infinity,
  })
}
