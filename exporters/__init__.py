"""Where an integer network goes: `quantise` makes one, `export` writes it for a target."""

from pathlib import Path
from types import ModuleType

from eventsnn.errors import Mistake, nearest
from eventsnn.network import Network

from .fixed import modelfile, quantise, read

TARGETS: dict[str, ModuleType] = {
    "json": modelfile,           # the model file: header, images, checksums
}


def export(network: Network, target: str, folder: str | Path) -> list[Path]:
    """Write an integer network for a target into a folder; the paths written."""
    if target not in TARGETS:
        raise Mistake(f"there is no target {target!r}{nearest(target, TARGETS)}")
    return TARGETS[target].write(network, folder)


__all__ = ["TARGETS", "export", "quantise", "read"]
