"""HTTP for addresses: the check that a person sees while typing, and the gateway's questions."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from tochka_sdk.db import Connection

from tochka_core.domains import service
from tochka_core.domains.schemas import SubdomainRead
from tochka_core.domains.service import Target
from tochka_core.resources import ResourcesDep, resources_of

REASON = "looks up a host before any tenant is known"

router = APIRouter(prefix="/subdomains", tags=["domains"])


async def _connection(resources: ResourcesDep) -> AsyncIterator[Connection]:
    async with resources.connections.system(REASON) as connection:
        yield connection


PublicConnection = Annotated[Connection, Depends(_connection, scope="function")]


@router.get("/{label}", operation_id="check_subdomain")
async def check_subdomain(
    connection: PublicConnection, resources: ResourcesDep, label: Annotated[str, Path(max_length=253)]
) -> SubdomainRead:
    """Whether an address can be had, and why not."""
    return await service.check(connection, resources.addresses, label)


async def _target(request: Request, host: str) -> Target:
    async with resources_of(request).connections.system(REASON) as connection:
        return await service.resolve(connection, host)


async def resolve(request: Request) -> Response:
    """Which module serves a host: for the gateway's `forward_auth`, in headers and in the body."""
    target = await _target(request, request.query_params.get("host", ""))
    headers = {
        "X-Upstream": target.upstream,
        "X-Tochka-Installation": str(target.installation_id),
        "X-Tochka-Tenant": str(target.tenant_id),
        "Cache-Control": "no-store",
    }
    body = {
        "installation_id": str(target.installation_id),
        "tenant_id": str(target.tenant_id),
        "module": target.module,
        "upstream": target.upstream,
        "access": target.access,
    }
    return JSONResponse(body, headers=headers)


async def tls_ask(request: Request) -> Response:
    """Whether a certificate may be had for a domain: 200 for a host that is live, a refusal otherwise."""
    await _target(request, request.query_params.get("domain", ""))
    return Response(status_code=200)


private_routes: list[BaseRoute] = [
    Route("/internal/resolve", resolve),
    Route("/internal/tls-ask", tls_ask),
]
