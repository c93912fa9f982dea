"""The command `eventsnn`: run, emulate, quantise, inspect, compare, tune, export, verify, report, scenario, model.

Exit codes: 0 done; 1 the answer is no (two runs differ, a scenario broke a promise); 2 a mistake in what was given,
told in one line on stderr; 3 a bug in eventsnn; 130 Ctrl-C (`run` and `emulate` write what they have first).
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from .commands.comparing import compare
from .commands.hardware import export, report, verify
from .commands.inspecting import inspect
from .commands.integers import quantise
from .commands.options import BAD, BUG, DONE, INTERRUPTED, NO, Debug
from .commands.running import emulate, run
from .commands.staging import scenario
from .commands.telling import model
from .commands.tuning import tune
from .errors import Mistake
from .terminal import complain

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script: runs a command, returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    usage: Any = typer.BadParameter.__mro__[2]       # ClickException, from click or from typer's own copy of it
    try:
        return app(given, prog_name="eventsnn", standalone_mode=False) or DONE
    except Mistake as mistake:
        if debug:
            raise
        complain(str(mistake))
    except usage as mistake:
        complain(f"{mistake.format_message().rstrip('.')} (eventsnn --help says more)")
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:                          # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO
    except Exception as error:
        if debug:
            raise
        complain(f"a bug, please report it: {type(error).__name__}: {error} (--debug shows where)")
        return BUG
    return BAD


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show it.")] = False,
          debug: Debug = False) -> None:
    """Event-driven simulation of spiking networks: exact spikes, integers, hardware."""
    if version:
        from . import __version__

        print(f"eventsnn {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


for command in (run, emulate, quantise, inspect, compare, tune, export, verify, report, model):
    app.command()(command)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(scenario)
