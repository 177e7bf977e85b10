/** Who is signed in, the language, and the way out. */
import { Menu, UnstyledButton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { LogOut, UserRound } from "lucide-react"
import type { ReactNode } from "react"

import { formatPhone } from "@/features/accounts/phone"
import classes from "@/features/accounts/profile-menu.module.css"
import { useMe } from "@/features/accounts/queries"
import { useAccountLocale } from "@/features/accounts/use-account-locale"
import { chooseLocale, currentLocale, type Locale, LOCALES } from "@/shared/i18n/locale"

interface ProfileMenuProps {
  /** Items of other slices, such as the choice of a tenant. */
  children?: ReactNode
  onSignOut: () => void
}

export function ProfileMenu({ children, onSignOut }: ProfileMenuProps) {
  const { t } = useLingui()
  const me = useMe()
  useAccountLocale(me.data)
  const name = me.data?.name ?? ""
  const phone = me.data === undefined ? "" : formatPhone(me.data.phone)
  return (
    <Menu width={272} classNames={{ dropdown: classes.dropdown, item: classes.item }}>
      <Menu.Target>
        <UnstyledButton className={classes.button} aria-label={t`Меню профиля`}>
          {name === "" ? <UserRound size={20} aria-hidden="true" /> : <span aria-hidden="true">{initials(name)}</span>}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.person}>
          {name !== "" && <b>{name}</b>}
          <span>{phone}</span>
        </div>
        {children}
        <Menu.Divider />
        <Menu.Label>
          <Trans>Язык</Trans>
        </Menu.Label>
        <Menu.RadioGroup value={currentLocale()} onChange={(locale) => void chooseLocale(locale as Locale)}>
          {LOCALES.map((locale) => (
            <Menu.RadioItem key={locale.code} value={locale.code} lang={locale.code}>
              {locale.name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={18} aria-hidden="true" />} onClick={onSignOut}>
          <Trans>Выйти</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("")
}
