/** What the platform promises its owners: the rules it is built by, in their words. */
import { Trans } from "@lingui/react/macro"
import { HandCoins, KeyRound, Smartphone } from "lucide-react"

import classes from "@/features/landing/sections.module.css"

export function Promises() {
  return (
    <section className={classes.band} aria-labelledby="promises">
      <div className={classes.bandInner}>
        <h2 id="promises" className={classes.title}>
          <Trans>Ваше — значит ваше</Trans>
        </h2>
        <ul className={classes.promises}>
          <li>
            <HandCoins size={28} strokeWidth={1.6} aria-hidden="true" />
            <h3>
              <Trans>Выручка — только ваша</Trans>
            </h3>
            <p>
              <Trans>Покупатель платит вам. Мы не берём процент с продаж и к деньгам не прикасаемся: вы платите только за модуль.</Trans>
            </p>
          </li>
          <li>
            <KeyRound size={28} strokeWidth={1.6} aria-hidden="true" />
            <h3>
              <Trans>Данные под замком</Trans>
            </h3>
            <p>
              <Trans>Товары, заказы и покупатели отделены от чужих в самой базе данных. Исходный код платформы открыт: проверить может каждый.</Trans>
            </p>
          </li>
          <li>
            <Smartphone size={28} strokeWidth={1.6} aria-hidden="true" />
            <h3>
              <Trans>Всё с телефона</Trans>
            </h3>
            <p>
              <Trans>Панель и управление магазином удобны на небольшом экране. Компьютер можно не включать.</Trans>
            </p>
          </li>
        </ul>
      </div>
    </section>
  )
}
