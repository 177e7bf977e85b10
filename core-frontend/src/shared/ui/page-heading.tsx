/** The h1 of a page or step: names the document, and takes the focus when it appears after a step inside the panel. */
import { useLingui } from "@lingui/react/macro"
import { useEffect, useRef } from "react"

interface PageHeadingProps {
  children: string
  /** What the tab says, when not the heading itself. */
  title?: string
  className?: string | undefined
}

let isFirstPage = true

export function PageHeading({ children, title = children, className }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  usePageTitle(title)
  useEffect(() => {
    // On the first load the reader starts at the top by itself; later only moving the focus tells it of the new page.
    if (isFirstPage) isFirstPage = false
    else if (!(document.activeElement instanceof HTMLInputElement)) heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  )
}

export function usePageTitle(title: string): void {
  const { t } = useLingui()
  const name = t`Точка Роста`
  useEffect(() => {
    document.title = title.includes(name) ? title : `${title} — ${name}`
  }, [title, name])
}
