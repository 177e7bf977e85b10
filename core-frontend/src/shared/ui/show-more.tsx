/** Grows a list that comes page by page; nothing once it is whole. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"

import classes from "@/shared/ui/show-more.module.css"

interface ShowMoreProps {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> }
}

export function ShowMore({ list }: ShowMoreProps) {
  if (!list.hasNextPage) return null
  return (
    <Button
      variant="default"
      size="md"
      className={classes.more}
      loading={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      <Trans>Показать ещё</Trans>
    </Button>
  )
}
