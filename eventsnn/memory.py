"""How much memory there is to take: what the system says, and what a container's limit leaves."""

import os
from pathlib import Path

SYSCONF = getattr(os, "sysconf_names", {})        # none on Windows


def available() -> float:
    """Bytes that this process can still take without swapping; inf where nobody says."""
    return min(_system(), _container())


def _system() -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pages = {name: os.sysconf(name) for name in ("SC_PHYS_PAGES", "SC_PAGE_SIZE") if name in SYSCONF}
        return float(pages["SC_PHYS_PAGES"] * pages["SC_PAGE_SIZE"]) if len(pages) == 2 else float("inf")


def _container() -> float:
    """What a control group (version 2) leaves; its caches of files count as taken, and are given back when needed."""
    group = Path("/sys/fs/cgroup")
    try:
        cached = sum(int(line.split()[1]) for line in (group / "memory.stat").read_text().splitlines()
                     if line.split()[0] in ("inactive_file", "active_file"))
        return float(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()) + cached)
    except (OSError, ValueError):
        return float("inf")


def readable(size: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if size < 1000.0:
            return f"{size:.3g} {unit}"
        size /= 1000.0
    return f"{size:.3g} GB"
