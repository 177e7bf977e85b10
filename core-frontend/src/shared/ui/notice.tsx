/** A message in the flow of the page; bad news interrupts a screen reader, other news waits its turn. */
import { CircleAlert, CircleCheck, Info } from "lucide-react"
import type { ReactNode } from "react"

import classes from "@/shared/ui/notice.module.css"

const ICONS = { bad: CircleAlert, good: CircleCheck, plain: Info }

interface NoticeProps {
  tone: keyof typeof ICONS
  children: ReactNode
  action?: ReactNode
}

export function Notice({ tone, children, action }: NoticeProps) {
  const Icon = ICONS[tone]
  return (
    <div role={tone === "bad" ? "alert" : "status"} className={classes.notice} data-tone={tone}>
      <Icon size={20} aria-hidden="true" className={classes.icon} />
      <div className={classes.text}>{children}</div>
      {action}
    </div>
  )
}
