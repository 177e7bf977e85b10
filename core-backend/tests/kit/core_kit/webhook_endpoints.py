"""Webhook endpoints of a tenant, made as its owner makes them."""

from typing import Any

import httpx

from core_kit.people import API, Owner

ENDPOINTS = f"{API}/webhook-endpoints"
URL = "http://127.0.0.1:9/webhooks"
"""Where nobody listens: what is recorded while a dispatcher runs goes nowhere."""


async def add(owner: Owner, *, key: str | None = None, **body: Any) -> httpx.Response:
    """Ask for an endpoint."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await owner.client.post(ENDPOINTS, json={"url": URL, **body}, headers=headers)


async def endpoint_of(owner: Owner, **body: Any) -> dict[str, Any]:
    """A fresh endpoint, with its secret."""
    answer = await add(owner, **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(owner: Owner, endpoint_id: str) -> dict[str, Any]:
    """An endpoint as it is now."""
    answer = await owner.client.get(f"{ENDPOINTS}/{endpoint_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
