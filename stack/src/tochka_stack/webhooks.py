"""`tochka webhooks`: how the queues stand, waiting until they are empty, sending again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tochka_stack import settings as stack_settings
from tochka_stack.attach import running_stack
from tochka_stack.commands import DataDirOption, run
from tochka_stack.console import Progress

app = typer.Typer(
    help="Webhooks: how the queues stand, waiting until they are empty, sending again.", no_args_is_help=True
)


@app.command("stats")
def webhook_stats(
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
    older_than: Annotated[
        float, typer.Option("--older-than", metavar="SECONDS", help="From when on something is late")
    ] = 60.0,
    data_dir: DataDirOption = None,
) -> None:
    """How the queues stand: 0 nothing is late, 1 something is, 2 it could not be looked at."""
    flags = ["--json"] if as_json else []
    _of_webhooks("stats", data_dir, *flags, "--older-than", str(older_than))


@app.command("drain")
def webhook_drain(
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait")] = 60.0,
    data_dir: DataDirOption = None,
) -> None:
    """Wait until everything that is due is sent: 0 it is, 1 it is not in time, 2 it could not be looked at.

    Retries that are planned for later do not count.
    """
    _of_webhooks("drain", data_dir, "--timeout", str(timeout))


@app.command("replay", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def webhook_replay(context: typer.Context, data_dir: DataDirOption = None) -> None:
    """Send deliveries again, under the same ids.

    To one endpoint: --endpoint ID, with --since, --until, --type, --status, --rate and --dry-run as needed.

    One delivery: --delivery ID --tenant ID; both stand in the worker's log.

    A module's news: --module ID --since TIME, with --tenant and --dry-run as needed. Commands are never sent
    again. This is no job: the command makes them due as fast as it can, without a --rate. Ended early and
    asked again, it begins anew at --since.

    Times are ISO 8601; statuses are held, refused, expired (these three, unless told) and delivered.
    """
    _of_webhooks("replay", data_dir, *context.args)


def _of_webhooks(deed: str, data_dir: Path | None, *arguments: str) -> None:
    """Let the core look at its queues; ends with its exit code."""
    stack = running_stack(stack_settings.read(data_dir=data_dir), Progress(Console(stderr=True)))
    code = run(stack.wiring.webhooks(deed, *arguments))
    if code != 0:
        raise typer.Exit(code)
