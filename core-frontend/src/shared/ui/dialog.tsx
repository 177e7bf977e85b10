/** The browser's own modal dialog, focus and Esc included; what is in it exists only while it is open. */
import { UnstyledButton } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { X } from "lucide-react"
import { type ReactNode, useEffect, useId, useRef } from "react"

import classes from "@/shared/ui/dialog.module.css"

interface DialogProps {
  isOpen: boolean
  title: string
  children: ReactNode
  /** At the side and as high as the window: for things to read. */
  isDrawer?: boolean
  onClose: () => void
}

export function Dialog({ isOpen, title, children, isDrawer = false, onClose }: DialogProps) {
  const { t } = useLingui()
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal()
    if (!isOpen) dialog.current?.close()
  }, [isOpen])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      className={classes.dialog}
      data-drawer={isDrawer}
      onClose={() => {
        // also fired after closing on purpose, when there is nothing left to tell
        if (isOpen) onClose()
      }}
    >
      {isOpen && (
        <div className={classes.body}>
          <h2 id={titleId}>{title}</h2>
          {children}
          <UnstyledButton className={classes.close} aria-label={t`Закрыть`} onClick={onClose}>
            <X size={22} aria-hidden="true" />
          </UnstyledButton>
        </div>
      )}
    </dialog>
  )
}
