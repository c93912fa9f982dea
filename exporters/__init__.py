"""Where an integer network goes: `quantise` makes one, `export` writes it for a target."""

from pathlib import Path
from types import ModuleType
from typing import Any

from eventsnn.errors import Mistake, nearest
from eventsnn.network import Network

from . import c, verilog
from .fixed import modelfile, quantise, read

TARGETS: dict[str, ModuleType] = {
    "json": modelfile,           # the model file: header, images, checksums
    "c": c,                      # C99: tables beside a hand-written event loop
    "verilog": verilog,          # a circuit: hand-written core, this network's parameters and memories
}


def export(network: Network, target: str, folder: str | Path, **options: Any) -> list[Path]:
    """Write an integer network for a target into a folder; the paths written.

    options   of the target's `write`: those that take a stimulus have `inputs` and `until` (ms), as simulate has
    """
    if target not in TARGETS:
        raise Mistake(f"there is no target {target!r}{nearest(target, TARGETS)}")
    return TARGETS[target].write(network, folder, **options)


__all__ = ["TARGETS", "export", "quantise", "read"]
