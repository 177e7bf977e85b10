/** A question before something that cannot be taken back: the browser's own modal dialog, focus and Esc included. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { type ReactNode, useEffect, useId, useRef } from "react"

import classes from "@/shared/ui/confirm-dialog.module.css"

interface ConfirmDialogProps {
  isOpen: boolean
  title: string
  children: ReactNode
  confirmLabel: string
  isPending: boolean
  onConfirm: () => void
  onClose: () => void
}

export function ConfirmDialog({ isOpen, title, children, confirmLabel, isPending, onConfirm, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal()
    if (!isOpen) dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} aria-labelledby={titleId} className={classes.dialog} onClose={onClose}>
      {isOpen && (
        <div className={classes.body}>
          <h2 id={titleId}>{title}</h2>
          <div className={classes.text}>{children}</div>
          <div className={classes.actions}>
            <Button variant="default" size="md" onClick={onClose}>
              <Trans>Отмена</Trans>
            </Button>
            <Button color="red" size="md" loading={isPending} onClick={onConfirm}>
              {confirmLabel}
            </Button>
          </div>
        </div>
      )}
    </dialog>
  )
}
