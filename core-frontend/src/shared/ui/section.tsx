/** One matter of a page: what it is about beside it where there is room, above it where there is not. */
import { type ReactNode, useId } from "react"

import classes from "@/shared/ui/section.module.css"

interface SectionProps {
  title: string
  lead?: ReactNode
  children: ReactNode
}

export function Section({ title, lead, children }: SectionProps) {
  const titleId = useId()
  return (
    <section className={classes.section} aria-labelledby={titleId}>
      <div className={classes.about}>
        <h2 id={titleId}>{title}</h2>
        {lead !== undefined && <p>{lead}</p>}
      </div>
      <div className={classes.card}>{children}</div>
    </section>
  )
}
