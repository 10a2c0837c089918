"""`snapproof run`: judge a driver. Starts pytest, shows what its ledger says, and exits by the verdict."""

import argparse
import os
import secrets
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from snapproof.commands.child import Order, command, environment
from snapproof.discovery import default_register, register_for
from snapproof.fixtures.parts.parts import PARTS
from snapproof.profile import PROFILE_NAME, ProfileError, profile_of
from snapproof.report.console import print_result, print_summary
from snapproof.report.files import remove_files, write_files
from snapproof.report.ledger import LedgerReader, read_ledger
from snapproof.report.packet import PACKET_NAME
from snapproof.report.pages import PAGE_NAME
from snapproof.report.records import RunStarted, ScenarioFinished
from snapproof.report.summary import FAILURES, IncompleteRunError, summarise
from snapproof.verdict import EXIT_CODES, EXIT_USAGE, Conclusion

LOG_NAME = "pytest.log"
POLL_S = 0.1
PATIENCE_S = 15.0
SEED_MAX = 2**32
DRIVERS = (
    "'reference' (the default), MODULE:FACTORY, cmd:COMMAND, docker://IMAGE, http://HOST:PORT, cinder://CLASS, "
    "reference?primary=URI, or contract:MODULE:FACTORY"
)
EXAMPLES = """\
examples:
  snapproof run                                        the whole suite against the reference implementation
  snapproof run --driver acme.driver:Driver            against your driver: any callable that takes a Site
  snapproof run --driver 'cmd:./driver --fast'         in any language, started by us, by the published contract
  snapproof run --driver http://127.0.0.1:8080         in any language, started by you
  snapproof run --driver cinder://cinder.volume.drivers.solidfire.SolidFireDriver
                                                       a volume driver of Cinder's, as it came
  snapproof run -m "requirement(id='R-003')"           one requirement
  snapproof run -k archive -n 4                        scenarios by name, on four processes (needs pytest-xdist)
  snapproof run --profile acme.toml                    names the driver and owns up to known deviations
  snapproof run my/features                            your own scenarios, with your conftest.py and requirements.toml
  snapproof run --part seaweedfs --part ganesha        with a bucket and an export that others wrote
  snapproof run --seed 7 -- 'features/x.feature::test_y'   what the replay line of a failure says
  snapproof run -- --lf -x                             anything after -- goes to pytest

A filtered run never says conformant: what did not run is counted as NOT-RUN, and the verdict is partial.
exit codes: 0 conformant, 1 failures, 2 partial, 3 error of the harness, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run",
        help="judge a driver with the conformance suite",
        description="Judge a driver with the conformance suite, and write a report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--driver", default="", metavar="NAME", help=DRIVERS)
    parser.add_argument(
        "--profile",
        default="",
        metavar="FILE",
        help="the driver's TOML; ./driver.toml where no driver is named (docs/driver-profile.md)",
    )
    parser.add_argument("--seed", default="1", metavar="N", help="a number, or 'random' (default 1)")
    parser.add_argument("--report", default="snapproof-report", metavar="DIR", help="where the report goes")
    parser.add_argument(
        "--register",
        default="",
        metavar="FILE",
        help="judge by these requirements; else by the requirements.toml beside your features, or snapproof's own",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="real seconds that one scenario may take")
    parser.add_argument("-k", dest="keyword", default="", metavar="EXPR", help="only scenarios whose name fits")
    parser.add_argument("-m", dest="marks", default="", metavar="EXPR", help="only scenarios whose tags fit")
    parser.add_argument("-n", dest="workers", default="", metavar="N", help="run on N processes")
    parser.add_argument(
        "--part",
        dest="parts",
        action="append",
        default=[],
        choices=PARTS,
        help="let a server of others stand in: seaweedfs keeps the bucket, ganesha serves the export; may be repeated",
    )
    parser.add_argument("targets", nargs="*", metavar="PATH", help="feature files, folders or single scenarios")


def run(arguments: argparse.Namespace) -> int:
    """Run the suite and give the exit code of the verdict."""
    console = Console()
    if arguments.seed != "random" and not arguments.seed.isdecimal():
        Console(stderr=True).print(f"--seed takes a number or 'random', not '{arguments.seed}'.", markup=False)
        return EXIT_USAGE
    try:
        order = _order(arguments)
    except ProfileError as exc:
        _complain(str(exc), "")
        return EXIT_USAGE
    if lacks := [lack for part in order.parts if (lack := PARTS[part].lacks())]:
        _complain("\n".join(lacks), "")
        return EXIT_USAGE
    code = _judge_in_child(order, console)
    return _conclude(order, code, console)


def _beside(driver: str) -> str:
    """Find the profile of the folder where one stands, unless the command line names a driver."""
    return "" if driver or not Path(PROFILE_NAME).is_file() else PROFILE_NAME


def _register(named: str, targets: Sequence[str]) -> str:
    """Name the register, unless it is the one that comes with the package."""
    found = register_for(named, targets)
    return named or ("" if found.resolve() == default_register().resolve() else str(found))


def _order(arguments: argparse.Namespace) -> Order:
    named = arguments.profile or _beside(arguments.driver)
    profile = profile_of(named, os.environ)
    return Order(
        driver=arguments.driver or profile.driver or "reference",
        profile=named,
        seed=secrets.randbelow(SEED_MAX) if arguments.seed == "random" else int(arguments.seed),
        report=Path(arguments.report),
        register=_register(arguments.register, arguments.targets),
        timeout_s=arguments.timeout,
        keyword=arguments.keyword,
        marks=arguments.marks,
        workers=arguments.workers,
        parts=arguments.parts,
        targets=arguments.targets,
        extra=arguments.after_dashes,
    )


def _judge_in_child(order: Order, console: Console) -> int:
    """Start the child and show its progress until it ends; Ctrl-C and SIGTERM are passed on once."""
    order.report.mkdir(parents=True, exist_ok=True)
    remove_files(order.report)
    with (order.report / LOG_NAME).open("wb") as log:
        child = subprocess.Popen(  # noqa: S603  our own interpreter, and what the user typed
            command(order, folder=Path.cwd()),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(os.environ),
            process_group=0,
        )
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _follow(child, LedgerReader(order.report), console)
        except KeyboardInterrupt:
            _stop(child)
        finally:
            signal.signal(signal.SIGTERM, previous)
    return child.returncode


def _follow(child: "subprocess.Popen[bytes]", ledger: LedgerReader, console: Console) -> None:
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None)
        failures, ended = 0, False
        while not ended:
            try:
                child.wait(timeout=POLL_S)
                ended = True
            except subprocess.TimeoutExpired:
                pass
            for record in ledger.fresh():
                if isinstance(record, RunStarted):
                    progress.update(task, total=len(record.expected), description="")
                elif isinstance(record, ScenarioFinished):
                    failures += record.state in FAILURES
                    progress.update(task, advance=1, description=f"[red]{failures} failed[/]" if failures else "")
                    print_result(progress.console, record)


def _stop(child: "subprocess.Popen[bytes]") -> None:
    """Ask the child to end as after Ctrl-C; kill it if it does not."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(timeout=PATIENCE_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _conclude(order: Order, code: int, console: Console) -> int:
    """Say the verdict. A child that died has left its ledger, and the report is written from that."""
    if code == EXIT_USAGE:
        _complain(_errors(order), "")
        return EXIT_USAGE
    try:
        summary = summarise(read_ledger(order.report))
    except IncompleteRunError as exc:
        _complain(_errors(order), f"{exc} What pytest said is in {order.report / LOG_NAME}.")
        return EXIT_CODES[Conclusion.HARNESS_ERROR]
    if not (order.report / PACKET_NAME).exists():  # it is written last, so nothing is whole without it
        write_files(order.report, summary)
    print_summary(console, summary, order.report / PAGE_NAME)
    return summary.verdict.exit_code


def _errors(order: Order) -> str:
    """What pytest said last: its own `ERROR:` lines where there are any."""
    lines = (order.report / LOG_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return "\n".join(line.removeprefix("ERROR: ") for line in errors) or "\n".join(lines[-30:])


def _complain(said: str, more: str) -> None:
    console = Console(stderr=True)
    for text in (said, more):
        if text:
            console.print(text, markup=False, highlight=False, soft_wrap=True)
