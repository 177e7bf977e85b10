/** Beside the form, on screens that have the room: what is about to happen. */
import { Trans } from "@lingui/react/macro"

import classes from "@/app/pages/sign-in-page.module.css"

export function SignInAside() {
  return (
    <aside className={classes.aside}>
      <div className={classes.promise}>
        <h2>
          <Trans>Минута — и у вас есть витрина</Trans>
        </h2>
        <ol>
          <li>
            <b>
              <Trans>Телефон и код</Trans>
            </b>
            <span>
              <Trans>Без анкет, договоров и банковской карты.</Trans>
            </span>
          </li>
          <li>
            <b>
              <Trans>Модуль и адрес</Trans>
            </b>
            <span>
              <Trans>Выберете, что открыть, и как это назвать.</Trans>
            </span>
          </li>
          <li>
            <b>
              <Trans>Первый товар</Trans>
            </b>
            <span>
              <Trans>Одно нажатие — и вы в управлении своим магазином.</Trans>
            </span>
          </li>
        </ol>
      </div>
    </aside>
  )
}
