"""A virtual environment for each peer, made when first asked for and kept: `python(name)` is its interpreter.

They live in $EVENTSNN_PEERS, or ~/.cache/eventsnn/peers.  Console scripts know their folder, so none is made elsewhere
and moved: the file `complete`, written last, says what is installed.  Without it, or with other words in it, a folder
is made anew; a lock lets one process do so at a time.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = {
    "nest": ("nest-simulator==3.10.0",),
    "brian2": ("brian2==2.9.0", "numpy<2.4", "setuptools<81"),       # Brian2 2.9 breaks with numpy 2.4
    "annarchy": ("ANNarchy",),
    "neuron": ("neuron",),
    "arbor": ("arbor",),
    "xylosim": ("xylosim==0.1.3", "numpy"),
    "nengo_loihi": ("nengo-loihi==1.1.0", "nengo==4.1.0", "numpy==1.26.4"),
    "lava": ("lava-nc==0.10.0",),                                    # for CPython 3.10 alone
}


VERSIONS = {"lava": "3.10"}              # of Python, where a peer has no other


def folder() -> Path:
    return Path(os.environ.get("EVENTSNN_PEERS") or Path.home() / ".cache" / "eventsnn" / "peers").absolute()


def python(name: str) -> Path:
    """The interpreter of that peer's environment, which exists and is whole when this returns."""
    home = folder() / name
    home.parent.mkdir(parents=True, exist_ok=True)
    complete, wanted = home / "complete", "\n".join(REQUIREMENTS[name])
    with open(home.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists() or complete.read_text("utf-8") != wanted:
            print(f"installing {' '.join(REQUIREMENTS[name])} into {home}", file=sys.stderr, flush=True)
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([interpreter(VERSIONS.get(name)), "-m", "venv", home], check=True)
            done = subprocess.run([home / "bin" / "python", "-m", "pip", "install", "-q", *REQUIREMENTS[name]],
                                  capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"pip cannot install {wanted!r} for peer {name!r}:\n{done.stderr[-3000:]}")
            complete.write_text(wanted, "utf-8")
    return home / "bin" / "python"


def interpreter(version: str | None) -> Path:
    """A Python of that version: ours, one on PATH, or one that pyenv keeps."""
    if version is None or sys.version.startswith(f"{version}."):
        return Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for path in (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))):
        if path and subprocess.run([path, "-c", "import venv"], capture_output=True).returncode == 0:
            return Path(path)
    raise SystemExit(f"this peer needs Python {version}, and there is none: put a python{version} on PATH")


def environment(name: str) -> dict[str, str]:
    """The variables to run it with: its own bin folder first on PATH (ANNarchy calls its compiler's wrappers there)."""
    home = folder() / name
    return {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(home),
            "OMP_NUM_THREADS": "1"}
