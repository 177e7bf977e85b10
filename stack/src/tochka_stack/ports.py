"""Finding ports that are free."""

import errno
import random
import socket

from tochka_stack.refusals import Misconfigured, NotPermitted, Occupied

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections: a port of ours
# stays free while its process restarts.
RANGE = range(20000, 32000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now. Connections that are just ending do not count as use."""
    return listen_error(port, host) is None


def listen_error(port: int, host: str = LOOPBACK) -> int | None:
    """The `errno` with which listening there would fail."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        return errno.EADDRNOTAVAIL
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            return error.errno
    return None


def require(port: int, host: str) -> None:
    """Refuse a public port that cannot be had.

    Browsers try `localhost` as ::1 first: whoever listens there would be taken for us.
    """
    number = listen_error(port, host)
    if number is None and host in {LOOPBACK, "localhost", "0.0.0.0"}:  # noqa: S104  compared, not bound
        number = errno.EADDRINUSE if listen_error(port, "::1") == errno.EADDRINUSE else None
    if number == errno.EADDRINUSE:
        raise Occupied(f"The port {port} is in use by another program: choose another one with --port.")
    if number == errno.EACCES:
        raise NotPermitted(f"The port {port} is reserved for root: choose another one with --port.")
    if number is not None:
        raise Misconfigured(f"{host} is not an address of this machine: choose another one with --host.")


def free_ports(count: int, avoid: frozenset[int] = frozenset()) -> list[int]:
    """That many different ports on which nobody listens."""
    candidates = [port for port in RANGE if port not in avoid]
    random.shuffle(candidates)
    return [port for port in candidates[: count * 50] if is_free(port)][:count]
