"""Building and running an exported folder on what this machine has: the host, and emulated machines under QEMU.

Everything but the host is built without any library: its port has the few lines that a start and an output take, so a
cross compiler and QEMU are all that is needed.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eventsnn.errors import Misfit, Mistake, nearest

RUNTIME = Path(__file__).parent / "runtime"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror")
BARE = ("-ffreestanding", "-nostdlib", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
SEMIHOSTING = ("-display", "none", "-serial", "none", "-monitor", "none", "-semihosting-config",
               "enable=on,target=native", "-kernel")
PATIENCE = 600                       # seconds that a run may take


class Machine(NamedTuple):
    """Where the C export runs."""

    compiler: str
    flags: tuple[str, ...]
    sources: tuple[str, ...]
    script: tuple[str, ...]          # the linker's
    linker: tuple[str, ...]          # flags that follow the sources
    emulator: tuple[str, ...]        # put before the program
    size: str
    nm: str
    package: str                     # Debian's, for whoever lacks it


def arm(core: str, board: str, *memory: str) -> Machine:
    return Machine("arm-none-eabi-gcc", (f"-mcpu={core}", "-mthumb", "-O2", *BARE), ("port_cortex_m.c", "library.c"),
                   ("cortex_m.ld",), (*(f"-Wl,--defsym=port_{size}" for size in memory), "-lgcc"),
                   ("qemu-system-arm", "-M", board, *SEMIHOSTING), "arm-none-eabi-size", "arm-none-eabi-nm",
                   "gcc-arm-none-eabi qemu-system-arm")


MACHINES = {
    "host": Machine("cc", ("-O2",), ("port_host.c",), (), (), (), "size", "nm", "gcc"),
    "cortex-m0": arm("cortex-m0", "microbit"),
    "cortex-m3": arm("cortex-m3", "mps2-an385", "flash_size=4M", "ram_size=4M"),
    "rv32": Machine("riscv64-unknown-elf-gcc", ("-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany", "-O2", *BARE),
                    ("port_riscv.c", "library.c"), ("riscv.ld",), ("-lgcc",),
                    ("qemu-system-riscv32", "-M", "virt", "-bios", "none", *SEMIHOSTING), "riscv64-unknown-elf-size",
                    "riscv64-unknown-elf-nm", "gcc-riscv64-unknown-elf qemu-system-misc"),
    "mips": Machine("mips-linux-gnu-gcc", ("-O2", "-static", "-mno-abicalls", "-fno-pic", "-G0", *BARE),
                    ("port_mips.c", "library.c"), (), ("-lgcc",), ("qemu-mips",), "mips-linux-gnu-size",
                    "mips-linux-gnu-nm", "gcc-mips-linux-gnu qemu-user"),
}


def machine_of(target: str) -> Machine:
    if target not in MACHINES:
        raise Mistake(f"the C export runs on no {target!r}{nearest(target, MACHINES)}")
    return MACHINES[target]


def missing(target: str) -> str:
    """Which tool of a target this machine lacks; "" if it has them all."""
    machine = machine_of(target)
    return next((tool for tool in (machine.compiler, *machine.emulator[:1]) if shutil.which(tool) is None), "")


def available() -> list[str]:
    """The targets that this machine can build and run."""
    return [target for target in MACHINES if not missing(target)]


def program(target: str, main: Path, out: Path, runtime: Path = RUNTIME, flags: Sequence[str] = ()) -> Path:
    """Compile main and a port to `out`, warnings being errors; `runtime` is the folder with their files."""
    machine = machine_of(target)
    if tool := missing(target):
        raise Mistake(f"the target {target!r} needs {tool}: on Debian, apt-get install {machine.package}")
    command = [machine.compiler, *WARNINGS, *machine.flags, *flags, f"-I{main.parent}", f"-I{runtime}", "-o", str(out),
               str(main), *(str(runtime / source) for source in machine.sources),
               *(f"-T{runtime / script}" for script in machine.script), *machine.linker]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.splitlines()
        why = next((line for line in said if any(word in line for word in ("error", "overflow", "no room"))), said[-1])
        full = any(word in done.stderr for word in ("overflowed", "no room"))
        raise (Misfit if full else Mistake)(f"{main} does not build for {target!r}: {why}")
    return out


def printed(target: str, binary: Path) -> str:
    """What a program prints."""
    machine = machine_of(target)
    with tempfile.TemporaryFile("w+") as out:            # no pipe: QEMU loses what a full one does not take
        try:
            done = subprocess.run([*machine.emulator, str(binary)], stdin=subprocess.DEVNULL, stdout=out, text=True,
                                  stderr=subprocess.PIPE, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Mistake(f"the run on {target!r} has not ended after {PATIENCE} s") from None
        if done.returncode:
            raise Mistake(f"the run on {target!r} ended with code {done.returncode}: {done.stderr.strip()[-300:]}")
        out.seek(0)
        return out.read()


def sizes(target: str, binary: Path) -> dict[str, int]:
    """Bytes of a program by what they are: code, constant tables, RAM."""
    done = subprocess.run([machine_of(target).size, "-A", str(binary)], capture_output=True, text=True, check=True)
    found: dict[str, int] = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            found[words[0]] = int(words[1])
    return {"code": sum(n for name, n in found.items() if name.startswith(".text")),
            "tables": sum(n for name, n in found.items() if name.startswith((".rodata", ".data.rel.ro"))),
            "ram": sum(n for name, n in found.items() if name in (".data", ".bss", ".sbss", ".sdata"))}


def symbols(target: str, binary: Path) -> list[str]:
    """The names of everything in a program."""
    done = subprocess.run([machine_of(target).nm, str(binary)], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines()]


def workshop() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="eventsnn_c_")
