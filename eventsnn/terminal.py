"""What the command line says: facts on stdout, one a line; progress and mistakes on stderr.

Into a pipe or file everything is plain text, never wrapped and never cut.  A terminal gets bold names and, for whatever
takes more than two seconds, a bar with the time left.  rich is imported only for a terminal.
"""

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

PATIENCE = 2.0           # seconds before a bar appears


class Talk:
    """How one command speaks: in lines, in one JSON object (`as_json`), or not at all (`quiet`)."""

    def __init__(self, as_json: bool = False, quiet: bool = False):
        self.as_json, self.quiet = as_json, quiet
        self.bar: Any = None

    def say(self, line: str, style: str = "") -> None:
        """One line, now."""
        if self.quiet or self.as_json:
            return
        if self.bar is not None:
            self.bar.stop()
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.text import Text

            Console(highlight=False).print(Text.from_ansi(line) if not style else Text(line, style), soft_wrap=True)
        else:
            print(line, flush=True)
        if self.bar is not None:
            self.bar.start()

    def tell(self, facts: Iterable[tuple[str, str]], data: Mapping[str, Any]) -> None:
        """The outcome: aligned facts, or all the data as one JSON object."""
        if self.as_json:
            print(json.dumps(data))
        facts = list(facts)
        width = max((len(name) for name, _ in facts), default=0)
        for name, value in facts:
            self.say(f"{name:<{width}}  {value}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> None:
        """Aligned columns: with rules and colours (a style for each row) on a terminal, else one plain line a row."""
        if self.quiet or self.as_json:
            return
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Table

            table = Table(*columns)
            for row, style in zip(rows, styles or [""] * len(rows), strict=True):
                table.add_row(*row, style=style)
            Console(highlight=False).print(table, markup=False)
            return
        widths = [max(len(line[k]) for line in (columns, *rows)) for k in range(len(columns))]
        for line in (columns, *rows):
            self.say("  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip())

    @contextmanager
    def busy(self, doing: str, left: str = "left") -> Iterator["Progress"]:
        """While the block runs a bar appears after two seconds, if stderr is a terminal; it shows what it is told.

        left: the word before the time left.
        """
        progress = Progress(left)
        if self.quiet or not sys.stderr.isatty():
            yield progress
            return
        timer = threading.Timer(PATIENCE, self._show, (doing, progress))
        timer.daemon = True
        timer.start()
        try:
            yield progress
        finally:
            timer.cancel()
            timer.join()
            progress.bar = None
            if self.bar is not None:
                self.bar.stop()
                self.bar = None

    def _show(self, doing: str, progress: "Progress") -> None:
        from rich import progress as rich
        from rich.console import Console

        columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.TaskProgressColumn(),
                   rich.TimeElapsedColumn(), rich.TextColumn("{task.fields[words]}"), rich.TimeRemainingColumn())
        self.bar = rich.Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False,
                                 redirect_stderr=False)
        self.bar.add_task(doing, completed=progress.reached, total=progress.end, words=progress.words)
        self.bar.tasks[0].start_time -= PATIENCE
        self.bar.start()
        progress.bar = self.bar


class Progress:
    """Called with (reached, end); remembers both until there is a bar to show them."""

    def __init__(self, left: str = "left") -> None:
        self.reached, self.words, self.left = 0.0, "", left
        self.end: float | None = None
        self.bar: Any = None

    def __call__(self, reached: float, end: float) -> None:
        self.reached, self.end, self.words = reached, end, self.left
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=reached, total=end, words=self.words)


def complain(text: str) -> None:
    """One line on stderr."""
    print("eventsnn:", " ".join(text.split()), file=sys.stderr)
