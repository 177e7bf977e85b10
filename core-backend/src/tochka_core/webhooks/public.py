"""What operators' commands ask of the queues."""

from tochka_core.webhooks.service import operations, replays

__all__ = [
    "count",
    "count_news",
    "look",
    "send_again",
    "send_news_again",
    "start",
    "tenant_of_endpoint",
    "unsettled",
]

count = replays.count
count_news = operations.count_news
look = operations.look
send_again = replays.send_again
send_news_again = operations.send_news_again
start = replays.start
tenant_of_endpoint = operations.tenant_of_endpoint
unsettled = operations.unsettled
