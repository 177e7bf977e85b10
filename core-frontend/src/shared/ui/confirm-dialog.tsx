/** A question before something that cannot be taken back. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import type { ReactNode } from "react"

import { Dialog } from "@/shared/ui/dialog"
import classes from "@/shared/ui/dialog.module.css"

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
  return (
    <Dialog isOpen={isOpen} title={title} onClose={onClose}>
      <div className={classes.text}>{children}</div>
      <div className={classes.actions}>
        <Button variant="default" size="md" onClick={onClose}>
          <Trans>Отмена</Trans>
        </Button>
        <Button color="red" size="md" loading={isPending} onClick={onConfirm}>
          {confirmLabel}
        </Button>
      </div>
    </Dialog>
  )
}
