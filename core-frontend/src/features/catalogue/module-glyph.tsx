/**
 * A module's picture: the one that its manifest brings or names, else one by what it is for. A picture is never fetched from
 * elsewhere: whoever serves it would learn who looks at the catalogue, and the content security policy forbids it.
 */
import { Blocks, BookOpen, CalendarDays, GraduationCap, Images, type LucideIcon, ShoppingBag, Store, Ticket } from "lucide-react"

import classes from "@/features/catalogue/module-glyph.module.css"
import type { Module } from "@/features/catalogue/queries"

const BY_ICON: Readonly<Record<string, LucideIcon>> = {
  storefront: Store,
  bag: ShoppingBag,
  book: BookOpen,
  ticket: Ticket,
  calendar: CalendarDays,
  education: GraduationCap,
  pictures: Images,
}
const BY_CATEGORY: Readonly<Record<string, LucideIcon>> = {
  commerce: ShoppingBag,
  events: Ticket,
  education: GraduationCap,
  portfolio: Images,
}
const PICTURE = /^data:image\//

export type ModuleLook = Pick<Module, "icon" | "category">

export function ModuleGlyph({ module, size = 56 }: { module: ModuleLook; size?: number }) {
  const { icon, category } = module
  const Icon = BY_ICON[icon] ?? BY_CATEGORY[category] ?? Blocks
  const hasPicture = PICTURE.test(icon)
  return (
    <span
      className={classes.glyph}
      style={{ width: size, height: size, borderRadius: size * 0.3 }}
      data-picture={hasPicture}
      aria-hidden="true"
    >
      {hasPicture ? (
        <img src={icon} alt="" width={size} height={size} />
      ) : (
        <Icon size={size * 0.48} strokeWidth={1.75} />
      )}
    </span>
  )
}
