/** One click into a module's admin. */
import { Button, type ButtonProps } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { LogIn } from "lucide-react"

interface EnterAdminButtonProps extends ButtonProps {
  isEntering: boolean
  onEnter: () => void
}

export function EnterAdminButton({ isEntering, onEnter, ...look }: EnterAdminButtonProps) {
  return (
    <Button loading={isEntering} onClick={onEnter} leftSection={<LogIn size={18} aria-hidden="true" />} {...look}>
      <Trans>Войти в управление</Trans>
    </Button>
  )
}
