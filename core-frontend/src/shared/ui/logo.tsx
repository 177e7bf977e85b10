/** The sign of the house: a point from which something grows. */
import { useLingui } from "@lingui/react/macro"
import { Link } from "react-router"

import classes from "@/shared/ui/logo.module.css"

export function LogoMark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={classes.mark}>
      <rect width="32" height="32" rx="10" fill="#0f6a46" />
      <path d="M16 25.5V15.2" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <path d="M16 16.4c0-5 3.1-8.2 8.6-8.4.2 5.4-2.9 8.4-8.6 8.400Z" fill="#fff" />
      <path d="M15.6 19.400c-.2-3.6-2.5-5.9-6.8-6 0 3.9 2.4 6 6.8 6Z" fill="#8dc6a6" />
      <circle cx="16" cy="25.4" r="2.5" fill="#ffb454" />
    </svg>
  )
}

export function Logo({ to }: { to: string }) {
  const { t } = useLingui()
  return (
    <Link to={to} className={classes.logo} aria-label={t`Точка Роста, на главную`}>
      <LogoMark />
      <span className={classes.word}>{t`Точка Роста`}</span>
    </Link>
  )
}
