/** What an owner ends up with, drawn: a storefront at its own address, the code it began with, the first order. */
import { Trans, useLingui } from "@lingui/react/macro"
import { Lock, MessageCircle, Search, ShoppingBag } from "lucide-react"

import { Bread, Cake, Croissant, Pie } from "@/features/landing/bakery"
import classes from "@/features/landing/hero-scene.module.css"
import { formatMoney } from "@/shared/format/money"

export function HeroScene() {
  const { t, i18n } = useLingui()
  const rub = (roubles: number) => formatMoney(roubles * 100, "RUB", i18n.locale)
  const goods = [
    { name: t`Хлеб на закваске`, price: rub(240), Picture: Bread, tone: "wheat" },
    { name: t`Круассан`, price: rub(160), Picture: Croissant, tone: "cream" },
    { name: t`Пирог с вишней`, price: rub(890), Picture: Pie, tone: "rose" },
    { name: t`Медовик`, price: rub(320), Picture: Cake, tone: "mint" },
  ]
  return (
    <div className={classes.scene} aria-hidden="true">
      <div className={classes.sun} />
      <div className={classes.window}>
        <div className={classes.bar}>
          <span className={classes.lights} />
          <span className={classes.address}>
            <Lock size={13} />
            <b>pekarnya-na-uglu</b>
          </span>
          <span className={classes.live}>
            <Trans>Работает</Trans>
          </span>
        </div>
        <div className={classes.shop}>
          <div className={classes.shopTop}>
            <span className={classes.shopName}>
              <Trans>Пекарня «На углу»</Trans>
            </span>
            <Search size={17} />
            <span className={classes.cart}>
              <ShoppingBag size={17} />
              <i>2</i>
            </span>
          </div>
          <div className={classes.goods}>
            {goods.map(({ name, price, Picture, tone }) => (
              <div key={name} className={classes.item}>
                <div className={classes.picture} data-tone={tone}>
                  <Picture />
                </div>
                <span>{name}</span>
                <b>{price}</b>
              </div>
            ))}
          </div>
        </div>
      </div>
      <div className={`${classes.card} ${classes.code}`}>
        <span className={classes.cardIcon}>
          <MessageCircle size={18} />
        </span>
        <span>
          <small>
            <Trans>Код для входа</Trans>
          </small>
          <b>482 913</b>
        </span>
      </div>
      <div className={`${classes.card} ${classes.order}`}>
        <span className={classes.cardIcon} data-tone="order">
          <ShoppingBag size={18} />
        </span>
        <span>
          <small>
            <Trans>Первый заказ</Trans>
          </small>
          <b>+ {rub(1290)}</b>
        </span>
      </div>
    </div>
  )
}
