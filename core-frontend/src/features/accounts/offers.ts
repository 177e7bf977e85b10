/** Which ways of getting a code people choose from. */
import type { Carrier, Channel } from "@/features/accounts/challenge"
import type { Schemas } from "@/shared/api/api"

export interface Offer {
  channel: Channel
  carrier: Carrier
}

/** What is drawn until the core has answered, so that nothing jumps. */
export const ASSUMED: readonly Offer[] = [
  { channel: "max", carrier: "messenger" },
  { channel: "telegram", carrier: "messenger" },
]

/** By SMS all channels are one and the same way: it is offered once. */
export function offersFrom({ channels }: Schemas["ChannelsRead"]): Offer[] {
  const sms = channels.findIndex(({ carrier }) => carrier === "sms")
  return channels.filter(({ carrier }, index) => carrier !== "sms" || index === sms)
}
