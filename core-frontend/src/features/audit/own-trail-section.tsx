/** What was done lately in one's own name, for whoever wants to see that it was oneself. */
import { useLingui } from "@lingui/react/macro"

import { EntryList } from "@/features/audit/entry-list"
import { useOwnTrail } from "@/features/audit/queries"
import { Section } from "@/shared/ui/section"

const AT_FIRST = 10

export function OwnTrailSection() {
  const { t } = useLingui()
  return (
    <Section title={t`Недавние действия`} lead={t`Входы, пароли, номер и бизнес — всё, что сделано от вашего имени.`}>
      <EntryList list={useOwnTrail(AT_FIRST)} label={t`Недавние действия`} heading="h3" />
    </Section>
  )
}
