/**
 * A code that is on its way. It is kept for the tab, since people leave for the messenger to read the code and a phone
 * may have dropped the page by the time they come back.
 */
import type { Schemas } from "@/shared/api/api"

export type Channel = Schemas["ChallengeRead"]["channel"]
export type Carrier = Schemas["ChallengeRead"]["carrier"]

export interface PendingChallenge {
  id: string
  phone: string
  channel: Channel
  carrier: Carrier
  tenantName: string
  links: readonly ChallengeLink[]
  codeLength: number
  /** Moments on this device's clock, in milliseconds. */
  expiresAt: number
  resendAt: number
}

export type ChallengeLink = Schemas["Link"]

export interface Wanted {
  phone: string
  channel: Channel
  tenantName: string
}

const MEMORY = "tochka.challenge"

/** Takes the answer over; its moments are moved by the difference between the server's clock and this device's. */
export function pendingFrom(answer: Schemas["ChallengeRead"], response: Response, wanted: Wanted): PendingChallenge {
  const serverNow = Date.parse(response.headers.get("Date") ?? "")
  const difference = Number.isNaN(serverNow) ? 0 : Date.now() - serverNow
  // the header counts whole seconds: a difference that small is none
  const shift = Math.abs(difference) < 3_000 ? 0 : difference
  return {
    ...wanted,
    id: answer.challenge_id,
    channel: answer.channel,
    carrier: answer.carrier,
    links: answer.links,
    codeLength: answer.code_length,
    expiresAt: Date.parse(answer.expires_at) + shift,
    resendAt: Date.parse(answer.resend_at) + shift,
  }
}

export function rememberedChallenge(): PendingChallenge | null {
  const stored = sessionStorage.getItem(MEMORY)
  if (stored === null) return null
  try {
    const challenge = JSON.parse(stored) as PendingChallenge
    return challenge.expiresAt > Date.now() ? challenge : null
  } catch {
    return null
  }
}

export function rememberChallenge(challenge: PendingChallenge | null): void {
  if (challenge === null) sessionStorage.removeItem(MEMORY)
  else sessionStorage.setItem(MEMORY, JSON.stringify(challenge))
}
