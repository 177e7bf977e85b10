/** Seconds until a moment, counted down while somebody looks. */
import { useEffect, useState } from "react"

export function useCountdown(until: number): number {
  const [now, setNow] = useState(Date.now)
  const isOver = now >= until
  useEffect(() => {
    if (isOver) return
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [isOver, until])
  return Math.max(0, Math.ceil((until - now) / 1000))
}

export function formatSeconds(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
}
