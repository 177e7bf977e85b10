/** What people ask before they begin. */
import { Trans } from "@lingui/react/macro"
import { ChevronDown } from "lucide-react"
import type { ReactNode } from "react"

import classes from "@/features/landing/sections.module.css"

export function Questions() {
  return (
    <section className={classes.section} aria-labelledby="questions">
      <div className={classes.questions}>
        <h2 id="questions" className={classes.title}>
          <Trans>Спрашивают чаще всего</Trans>
        </h2>
        <div>
          <Question asked={<Trans>Сколько это стоит?</Trans>}>
            <Trans>
              Начать можно бесплатно и без карты: у модуля есть пробный период, его срок указан в каталоге. Дальше — подписка на
              модуль. С продаж мы не берём ничего.
            </Trans>
          </Question>
          <Question asked={<Trans>Нужно ли что-то устанавливать?</Trans>}>
            <Trans>Нет. Магазин и его управление открываются в браузере — на телефоне, планшете или компьютере.</Trans>
          </Question>
          <Question asked={<Trans>Что будет, когда пробный период закончится?</Trans>}>
            <Trans>Сами мы ничего не спишем: карты у нас нет. Панель заранее покажет, сколько дней осталось, и вы решите, продолжать ли.</Trans>
          </Question>
          <Question asked={<Trans>Можно ли открыть несколько магазинов?</Trans>}>
            <Trans>Да. У каждого будет свой адрес, свои товары и заказы, а вход в панель — один.</Trans>
          </Question>
        </div>
      </div>
    </section>
  )
}

function Question({ asked, children }: { asked: ReactNode; children: ReactNode }) {
  return (
    <details className={classes.question}>
      <summary>
        {asked}
        <ChevronDown size={22} aria-hidden="true" />
      </summary>
      <p>{children}</p>
    </details>
  )
}
