/** How one is called, and in which language. */
import { Button, TextInput } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useState } from "react"

import { type Profile, useRename } from "@/features/accounts/account"
import classes from "@/features/accounts/account.module.css"
import choice from "@/features/accounts/channel-picker.module.css"
import fieldClasses from "@/shared/ui/fields.module.css"
import { chooseLocale, LOCALES } from "@/shared/i18n/locale"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import { Section } from "@/shared/ui/section"

export function ProfileSection({ me }: { me: Profile }) {
  const { t } = useLingui()
  return (
    <Section title={t`О вас`} lead={t`Имя видят те, с кем вы работаете, и те, кого приглашаете.`}>
      <div className={classes.body}>
        <NameForm me={me} />
        <LanguageChoice />
      </div>
    </Section>
  )
}

function NameForm({ me }: { me: Profile }) {
  const { t } = useLingui()
  const [name, setName] = useState(me.name)
  const rename = useRename()
  const isSame = name.trim() === me.name

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (isSame || rename.isPending) return
    rename.mutate(name.trim(), { onSuccess: (updated) => setName(updated.name) })
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <div className={classes.inline}>
        <TextInput
          label={t`Имя`}
          placeholder={t`Как к вам обращаться`}
          autoComplete="name"
          maxLength={120}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value)
            if (!rename.isPending) rename.reset()
          }}
          classNames={{ input: fieldClasses.field, label: fieldClasses.label }}
        />
        <Button type="submit" size="lg" className={classes.beside} loading={rename.isPending} disabled={isSame}>
          {rename.isSuccess && isSame ? <Trans>Сохранено</Trans> : <Trans>Сохранить</Trans>}
        </Button>
      </div>
      {rename.isError && <ProblemNotice error={rename.error} />}
    </form>
  )
}

/** The profile menu, which stands on every page of the panel, tells the core of the choice. */
function LanguageChoice() {
  const { t, i18n } = useLingui()
  return (
    <div role="radiogroup" aria-label={t`Язык`}>
      <span className={fieldClasses.label} aria-hidden="true">{t`Язык`}</span>
      <div className={choice.options}>
        {LOCALES.map(({ code, name }) => (
          <label key={code} className={choice.option} lang={code}>
            <input
              type="radio"
              name="locale"
              value={code}
              checked={i18n.locale === code}
              onChange={() => void chooseLocale(code)}
              className={choice.input}
            />
            <span>{name}</span>
            <span className={choice.dot} aria-hidden="true" />
          </label>
        ))}
      </div>
    </div>
  )
}
