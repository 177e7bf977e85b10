/** A picture for a module, by what it is for. */
import { Blocks, GraduationCap, Images, type LucideIcon, ShoppingBag, Ticket } from "lucide-react"

import classes from "@/features/catalogue/module-glyph.module.css"

const BY_CATEGORY: Record<string, LucideIcon> = {
  commerce: ShoppingBag,
  ecommerce: ShoppingBag,
  shop: ShoppingBag,
  sales: ShoppingBag,
  events: Ticket,
  education: GraduationCap,
  courses: GraduationCap,
  portfolio: Images,
}

export function ModuleGlyph({ category, size = 56 }: { category: string; size?: number }) {
  const Icon = BY_CATEGORY[category.toLowerCase()] ?? Blocks
  return (
    <span className={classes.glyph} style={{ width: size, height: size, borderRadius: size * 0.3 }} aria-hidden="true">
      <Icon size={size * 0.48} strokeWidth={1.75} />
    </span>
  )
}
