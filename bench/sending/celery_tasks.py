"""What a Celery worker runs: one signed POST by httpx, acknowledged after it. Its processes keep their
connections.
"""

import httpx
from celery import Celery
from pydantic_settings import BaseSettings, SettingsConfigDict

from bench.sending.bare import Keys


class Told(BaseSettings):
    """What the bench says in the environment."""

    model_config = SettingsConfigDict(env_prefix="BENCH_")

    broker: str
    secret: str
    private_key: str


_told = Told()
app = Celery("bench", broker=_told.broker)
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
_keys = Keys(_told.secret, _told.private_key)
_client = httpx.Client(trust_env=False)  # before its processes fork: making one costs more than a request


@app.task(name="send")  # type: ignore[untyped-decorator]
def send(id: str, url: str, body: str) -> None:
    """One delivery."""
    content = body.encode()
    _client.post(url, content=content, headers=_keys.headers(id, content)).raise_for_status()
