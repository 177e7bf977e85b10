"""The `tochka` command."""

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tochka_stack import settings as stack_settings
from tochka_stack import webhooks
from tochka_stack.attach import do_beside, running_stack
from tochka_stack.commands import DataDirOption, run
from tochka_stack.console import Progress
from tochka_stack.data_dir import DataDir
from tochka_stack.refusals import (
    Misconfigured,
    Refusal,
    TrailBroken,
    TrailUnchecked,
    Unhealthy,
    of_the_system,
)

EPILOG = (
    "Exit codes: 0 done · 1 error · 2 wrong setting or argument · 3 port or data directory in use · "
    "4 wrong version · 5 not permitted · 6 no disk space · 7 server unreachable · 8 a part failed to start · "
    "10 not running · 11 something is not well."
)
app = typer.Typer(
    help="Tochka Rosta on one machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
module_app = typer.Typer(help="Modules: check one, enter one in the catalogue.", no_args_is_help=True)
app.add_typer(module_app, name="module")
keys_app = typer.Typer(help="The core's signing keys: look at them, rotate them.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
channels_app = typer.Typer(help="Channels: what carries one-time codes.", no_args_is_help=True)
app.add_typer(channels_app, name="channels")
audit_app = typer.Typer(
    help="The audit trail: verify it, take a checkpoint to keep elsewhere.", no_args_is_help=True
)
app.add_typer(audit_app, name="audit")
app.add_typer(webhooks.app, name="webhooks")
accounts_app = typer.Typer(help="Accounts: let somebody in again.", no_args_is_help=True)
app.add_typer(accounts_app, name="accounts")

PortOption = Annotated[int | None, typer.Option("--port", help="The public port [TOCHKA_PORT; 8080]")]
HostOption = Annotated[
    str | None, typer.Option("--host", help="The address to listen on [TOCHKA_HOST; 127.0.0.1]")
]


@app.command()
def up(data_dir: DataDirOption = None, port: PortOption = None, host: HostOption = None) -> None:
    """Start everything and keep it running until Ctrl-C.

    Also read: TOCHKA_LIMITS (strict, relaxed), TOCHKA_DATABASE_URL and TOCHKA_REDIS_URL (servers to use
    instead of the embedded ones), TOCHKA_ENVIRONMENT (development, production), TOCHKA_PUBLIC_URL,
    TOCHKA_STOREFRONT_DOMAIN, and whatever begins with TOCHKA_CORE_, TOCHKA_MODULE_ or TOCHKA_GATEWAY_,
    which is handed to that part.
    """
    from tochka_stack.up import run

    run(stack_settings.read(data_dir=data_dir, port=port, host=host), Progress(Console()))


@app.command()
def status(
    data_dir: DataDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Show what runs: 0 all is well, 10 nothing runs, 11 something is down."""
    from tochka_stack.status import collect

    settings = stack_settings.read(data_dir=data_dir)
    lines = collect(settings, Progress(Console()))
    if as_json:
        sys.stdout.write(json.dumps([asdict(line) for line in lines], indent=2) + "\n")
    else:
        _print_table(
            ("part", "state", "version", "pid", "port", "up", "memory"),
            [
                (
                    *(line.name, line.state, line.version, line.pid, line.port),
                    None if line.uptime_s is None else f"{line.uptime_s} s",
                    None if line.memory_mb is None else f"{line.memory_mb} MB",
                )
                for line in lines
            ],
        )
    unwell = [line.name for line in lines if not line.is_well]
    if unwell:
        raise Unhealthy(
            f"Not well: {', '.join(unwell)}. Their logs lie in {DataDir(settings.data_dir).logs}."
        )


@app.command()
def doctor(data_dir: DataDirOption = None, port: PortOption = None, host: HostOption = None) -> None:
    """Look for what would go wrong: 0 nothing found (warnings aside), 11 a problem."""
    from tochka_stack.doctor import examine

    findings = examine(stack_settings.read(data_dir=data_dir, port=port, host=host))
    marks = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}
    console = Console()
    for finding in findings:
        mark, style = marks[finding.grade]
        console.print(
            Text.assemble((f"{mark} ", style), f"{finding.subject}: {finding.sentence}"), soft_wrap=True
        )
    problems = sum(finding.grade == "problem" for finding in findings)
    if problems:
        raise Unhealthy(f"{problems} problem{'s' if problems > 1 else ''} found.")


@app.command()
def migrate(data_dir: DataDirOption = None) -> None:
    """Bring the databases to their newest revision, whether the stack runs or not."""
    from tochka_stack.up import run_migrations

    settings, progress = stack_settings.read(data_dir=data_dir), Progress(Console())
    if DataDir(settings.data_dir).is_locked():
        do_beside(settings, progress, lambda stack: stack.migrate())
    else:
        run_migrations(settings, progress)


@app.command()
def seed(data_dir: DataDirOption = None) -> None:
    """Enter the modules that come with the stack in the catalogue; `up` does it too. The stack must run."""
    do_beside(stack_settings.read(data_dir=data_dir), Progress(Console()), lambda stack: stack.seed())


@module_app.command("register")
def register_module(
    url: Annotated[str, typer.Argument(help="Where the core reaches the module, e.g. http://127.0.0.1:9000")],
    public_key: Annotated[
        str, typer.Option("--public-key", help="The module's Ed25519 public JWK, or a file that holds it")
    ],
    data_dir: DataDirOption = None,
) -> None:
    """Enter a module in the catalogue, or bring its entry up to date. The stack must run."""
    key = _public_jwk(public_key)
    do_beside(
        stack_settings.read(data_dir=data_dir),
        Progress(Console()),
        lambda stack: stack.supervisor.run_once("core-register", url, stack.wiring.register(url, key)),
    )


@module_app.command("check")
def check_module(
    url: Annotated[str, typer.Argument(help="Where the module answers, e.g. http://127.0.0.1:9000")],
    play: Annotated[
        str | None,
        typer.Option(
            "--play",
            metavar="ID",
            help="Also play an installation from beginning to end with the keys of the stack that runs here, "
            "which the module of this id must trust. It is made up, and removed again.",
        ),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Ask a module what the contract asks of it: 0 all is right, 11 something is not."""
    from tochka_sdk.check import check, render

    signer = None
    if play is not None:
        signer = running_stack(stack_settings.read(data_dir=data_dir), Progress(Console())).wiring.signer(
            play
        )
    findings = asyncio.run(check(url, signer))
    sys.stdout.write(render(findings) + "\n")
    if not all(finding.ok for finding in findings):
        raise Unhealthy(f"The module at {url} does not keep the contract.")


@module_app.command("secret")
def module_secret(
    module_id: Annotated[str, typer.Argument(metavar="ID", help="The module's id")],
    data_dir: DataDirOption = None,
) -> None:
    """Print the `whsec_` secret of a module, for Standard Webhooks libraries that know `v1` alone.

    Whoever has it can speak as the platform to this one module. Modules that check `v1a` need none.
    """
    stack = running_stack(stack_settings.read(data_dir=data_dir), Progress(Console()))
    sys.stdout.write(stack.wiring.signer(module_id).secret + "\n")


@keys_app.command("show")
def show_keys(data_dir: DataDirOption = None) -> None:
    """List the signing keys by their public names: what each is for, its state, and since when."""
    from tochka_stack.keys import show

    rows = list(show(DataDir(stack_settings.read(data_dir=data_dir).data_dir)))
    _print_table(("purpose", "state", "since", "name"), [tuple(row) for row in rows])


@keys_app.command("rotate")
def rotate_keys(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="PURPOSE", help="access, license, webhook or audit; may be repeated [all]"
        ),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--now", help="Although the next key has not been published for 15 minutes yet")
    ] = False,
    leaked: Annotated[
        bool,
        typer.Option("--leaked", help="Throw the keys away: nothing that they have signed counts any more"),
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Let the next keys sign and retire the active ones, whether the stack runs or not: no request fails.

    Ends when every process of the core that runs here has taken the keys.
    """
    from tochka_stack.keys import purposes_of, rotate, until_taken

    place = DataDir(stack_settings.read(data_dir=data_dir).data_dir)
    rings = rotate(place, purposes_of(only or ()), at_once=at_once, leaked=leaked)
    taken = asyncio.run(until_taken(place, rings))
    where = f"taken by {' and '.join(taken)}" if taken else "nothing runs that could take them now"
    sys.stdout.write(f"Rotated; {where}.\n")


@channels_app.command("check")
def check_channels() -> None:
    """Ask the services that shall carry codes whether they take our word: 0 all do, 11 one does not.

    Read are the same TOCHKA_CORE_ variables as by `tochka up`, and TOCHKA_PUBLIC_URL. Nothing is sent,
    nothing is paid, nothing has to run.
    """
    from tochka_stack.wiring import channels_check

    command = channels_check(stack_settings.read())
    code = run(command)
    if code == Misconfigured.exit_code:
        raise Misconfigured("The settings of the channels do not make sense.")
    if code != 0:
        raise Unhealthy("Not every channel can carry codes.")


@audit_app.command("verify")
def verify_audit(
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Checkpoints that were kept elsewhere, one a line; lines of the worker's log will do",
            readable=False,  # whether it can be used is for us to say
        ),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Recompute the whole audit trail: 0 it is whole, 1 it is not, 2 it could not be checked.

    Says in one sentence what was changed, is missing, was added or was signed by somebody else. That its end
    was cut off shows by a checkpoint that was kept elsewhere. The stack must run, and goes on meanwhile.
    """
    code = _of_audit(
        "verify", data_dir, *([] if checkpoint is None else ["--checkpoint", str(checkpoint.absolute())])
    )
    if code == TrailBroken.exit_code:
        raise TrailBroken("The audit trail is broken.")
    if code != 0:
        raise TrailUnchecked("The audit trail could not be checked.")


@audit_app.command("checkpoint")
def print_checkpoint(data_dir: DataDirOption = None) -> None:
    """Print the newest checkpoint of the audit trail, signed, for keeping elsewhere. The stack must run."""
    if _of_audit("checkpoint", data_dir) != 0:
        raise TrailUnchecked("There is no checkpoint to be had.")


def _of_audit(deed: str, data_dir: Path | None, *arguments: str) -> int:
    """Let the core look at its trail; its exit code."""
    try:
        stack = running_stack(stack_settings.read(data_dir=data_dir), Progress(Console()))
    except Refusal as refusal:
        raise TrailUnchecked(str(refusal)) from None
    return run(stack.wiring.audit(deed, *arguments))


@accounts_app.command("recover")
def recover_account(
    was: Annotated[str, typer.Argument(help="The number that opened the account")],
    phone: Annotated[str, typer.Argument(help="The number that shall open it from now on; may be the same")],
    user_id: Annotated[
        str | None, typer.Option("--user-id", help="Which account, where the number opened several")
    ] = None,
    take: Annotated[
        bool, typer.Option("--take", help="Take the number from whoever signed up with it meanwhile")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Let somebody in again whose number opens nothing any more. Make sure first who it is.

    For whoever lost the number to somebody else, began anew by mistake, or comes back after a long time. All
    sessions of the account end; the audit trail has it.
    """
    stack = running_stack(stack_settings.read(data_dir=data_dir), Progress(Console()))
    command = stack.wiring.recover(was, phone, user_id, take=take)
    done = subprocess.run(command.argv, env=dict(command.environment), cwd=command.folder, check=False)
    if done.returncode != 0:
        raise Unhealthy("Nothing was changed.")


def _public_jwk(text: str) -> str:
    """The key as JSON without its private half, from the text itself or from a file of that name."""
    path = Path(text)
    if not text.lstrip().startswith("{"):
        if not path.is_file():
            raise Misconfigured(f"--public-key is neither a JWK nor a file: {text}.")
        text = path.read_text()
    try:
        key: Any = json.loads(text)
        return json.dumps({name: value for name, value in key.items() if name != "d"})
    except (ValueError, AttributeError):
        raise Misconfigured("--public-key is not a JSON object.") from None


def _print_table(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("–" if cell in {None, ""} else str(cell) for cell in row))
    Console().print(table)


def main() -> None:
    """Run the command; a refusal is one sentence on standard error and an exit code of its own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows few letters shows a question mark
    try:
        app()
    except Refusal as refusal:
        _refuse(refusal)
    except OSError as error:
        refusal_of_system = of_the_system(error)
        if refusal_of_system is None:
            raise
        _refuse(refusal_of_system)


def _refuse(refusal: Refusal) -> None:
    Console(stderr=True).print(Text(str(refusal), style="bold red"), soft_wrap=True)
    sys.exit(refusal.exit_code)
