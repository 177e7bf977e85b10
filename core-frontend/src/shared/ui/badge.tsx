/** A state in a word, with a point of its colour. */
import classes from "@/shared/ui/badge.module.css"

export type BadgeTone = "good" | "bad" | "busy" | "plain"

export function Badge({ tone, children }: { tone: BadgeTone; children: string }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      {children}
    </span>
  )
}
