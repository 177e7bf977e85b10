/** Calls about one's own account: name, password, sessions, number, and proving once more who one is. */
import { useMutation, useQueryClient } from "@tanstack/react-query"

import { type Channel, type PendingChallenge, pendingFrom } from "@/features/accounts/challenge"
import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { usePages } from "@/shared/api/pages"
import { randomKey } from "@/shared/api/random-key"

export type Profile = Schemas["ProfileRead"]
export type PhoneChange = Schemas["PhoneChangeRead"]
export type OwnSession = Schemas["SessionRead"]

/** Tells the page anew what the core knows of the person, once that has changed. */
function useRefresh() {
  const queries = useQueryClient()
  return () => Promise.all([["me"], ["sessions"], ["own-audit"]].map((queryKey) => queries.invalidateQueries({ queryKey })))
}

export function useRename() {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => read(client.PATCH("/api/v1/me", { body: { name } })),
    onSuccess: async (updated) => {
      queries.setQueryData(["me"], updated)
      await queries.invalidateQueries({ queryKey: ["members"] })
    },
  })
}

export function useSetPassword() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (password: string) => read(client.PUT("/api/v1/me/password", { body: { password } })),
    onSuccess: refresh,
  })
}

export function useRemovePassword() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({ mutationFn: () => read(client.DELETE("/api/v1/me/password")), onSuccess: refresh })
}

export function useSessions() {
  const { client } = useApi()
  return usePages(["sessions"], ({ query, signal }) => read(client.GET("/api/v1/me/sessions", { params: { query }, signal })))
}

export function useEndSession() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (id: string) => read(client.DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSettled: refresh,
  })
}

export function useEndOtherSessions() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({ mutationFn: () => read(client.DELETE("/api/v1/me/sessions")), onSettled: refresh })
}

/** Sends a code to the new number; the challenge's id is that of the change. */
export function useAskNewPhone() {
  const { client } = useApi()
  return useMutation({
    mutationFn: async (wanted: { phone: string; channel: Channel }): Promise<PendingChallenge> => {
      const headers = { "Idempotency-Key": randomKey() }
      const { data, response } = await client.POST("/api/v1/me/phone-changes", { body: wanted, headers })
      return pendingFrom(data as Schemas["ChallengeRead"], response, { ...wanted, tenantName: "" })
    },
  })
}

export function useProveNewPhone() {
  const { client } = useApi()
  const refresh = useRefresh()
  return async ({ id }: PendingChallenge, code: string): Promise<PhoneChange> => {
    const params = { path: { change_id: id } }
    const change = await read(client.POST("/api/v1/me/phone-changes/{change_id}/confirm", { params, body: { code } }))
    await refresh()
    return change
  }
}

export function useAskOldPhone(changeId: string) {
  const { client } = useApi()
  return async (phone: string, channel: Channel): Promise<PendingChallenge> => {
    const params = { path: { change_id: changeId } }
    const { data, response } = await client.POST("/api/v1/me/phone-changes/{change_id}/old-phone", { params, body: { channel } })
    return pendingFrom(data as Schemas["ChallengeRead"], response, { phone, channel, tenantName: "" })
  }
}

export function useProveOldPhone(changeId: string) {
  const { client } = useApi()
  return async ({ id }: PendingChallenge, code: string): Promise<Profile> => {
    const params = { path: { change_id: changeId } }
    const body = { challenge_id: id, code }
    return read(client.POST("/api/v1/me/phone-changes/{change_id}/old-phone/confirm", { params, body }))
  }
}

/** Shows at once what the core has answered, and whatever else it has changed as soon as that is known. */
export function useTakeOver() {
  const queries = useQueryClient()
  const refresh = useRefresh()
  return (profile: Profile) => {
    queries.setQueryData(["me"], profile)
    void refresh()
  }
}

export function useCancelPhoneChange() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (id: string) => read(client.DELETE("/api/v1/me/phone-changes/{change_id}", { params: { path: { change_id: id } } })),
    onSettled: refresh,
  })
}

export function useAskOwnCode() {
  const { client } = useApi()
  return async (phone: string, channel: Channel): Promise<PendingChallenge> => {
    const { data, response } = await client.POST("/api/v1/me/reauthentication/challenges", { body: { channel } })
    return pendingFrom(data as Schemas["ChallengeRead"], response, { phone, channel, tenantName: "" })
  }
}

/** Proves once more who one is; the session goes on with a token that opens what asks for it. */
export function useReauthenticate() {
  const { client, session } = useApi()
  const refresh = useRefresh()
  return async (proof: { challenge_id: string; code: string } | { password: string }): Promise<void> => {
    session.accept(await read(client.POST("/api/v1/me/reauthentication", { body: proof })))
    void refresh()
  }
}
