/** Three steps, as they really are. */
import { Trans } from "@lingui/react/macro"
import { MessageSquareCode, PackagePlus, Signpost } from "lucide-react"

import classes from "@/features/landing/sections.module.css"

export function HowItWorks() {
  return (
    <section className={classes.section} aria-labelledby="how">
      <h2 id="how" className={classes.title}>
        <Trans>Как это работает</Trans>
      </h2>
      <ol className={classes.steps}>
        <li>
          <MessageSquareCode size={30} strokeWidth={1.6} aria-hidden="true" />
          <h3>
            <Trans>Назовите номер</Trans>
          </h3>
          <p>
            <Trans>Пришлём код в MAX или Telegram. Ни пароля, ни анкеты: номер и есть ваш вход.</Trans>
          </p>
        </li>
        <li>
          <Signpost size={30} strokeWidth={1.6} aria-hidden="true" />
          <h3>
            <Trans>Выберите модуль и адрес</Trans>
          </h3>
          <p>
            <Trans>Магазин — уже в каталоге. Придумайте ему имя в интернете: сразу скажем, свободно ли оно.</Trans>
          </p>
        </li>
        <li>
          <PackagePlus size={30} strokeWidth={1.6} aria-hidden="true" />
          <h3>
            <Trans>Добавьте первый товар</Trans>
          </h3>
          <p>
            <Trans>Витрина открыта, управление — в одно нажатие. Фото, цена, количество — и можно принимать заказы.</Trans>
          </p>
        </li>
      </ol>
    </section>
  )
}
