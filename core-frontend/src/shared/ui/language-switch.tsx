/** Offers the other language, in that language. */
import { useLingui } from "@lingui/react/macro"

import { chooseLocale, LOCALES } from "@/shared/i18n/locale"
import classes from "@/shared/ui/language-switch.module.css"

export function LanguageSwitch() {
  const { t, i18n } = useLingui()
  return (
    <div role="group" className="needs-scripts" aria-label={t`Язык`}>
      {LOCALES.filter(({ code }) => code !== i18n.locale).map(({ code, name }) => (
        <button key={code} type="button" lang={code} className={classes.switch} onClick={() => void chooseLocale(code)}>
          {name}
        </button>
      ))}
    </div>
  )
}
