/** Keys for writes that a person may press twice. */
import { useRef } from "react"

import { ApiError } from "@/shared/api/errors"
import { randomKey } from "@/shared/api/random-key"

/** One key for one intent: pressing again after a lost answer repeats it, pressing again after a refusal is a new one. */
export function useIdempotencyKey() {
  const held = useRef<{ intent: string; key: string } | null>(null)
  return async <T>(intent: string, work: (key: string) => Promise<T>): Promise<T> => {
    if (held.current?.intent !== intent) held.current = { intent, key: randomKey() }
    try {
      return await work(held.current.key)
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) held.current = null
      throw error
    }
  }
}
