"""Who may import whom: the rooms of the house, read off the syntax trees."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = ("options", "running", "inspecting", "integers", "comparing", "telling", "tuning", "hardware", "staging")
HEAVY = {"numba", "networkx", "scipy", "matplotlib", "sklearn", "simpy", "typer", "rich"}


def modules(folder):
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
            for path in sorted((ROOT / folder).rglob("*.py"))}


def imports(file, nodes):
    """Dotted names that these nodes import; relative ones from the package, as "eventsnn.network"."""
    place = file.removesuffix(".py").split("/")
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = [*place[:len(place) - node.level], node.module or ""] if node.level else [node.module]
            base = ".".join(part for part in start if part)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def everywhere(folder):
    return {file: set(imports(file, ast.walk(tree))) for file, tree in modules(folder).items()}


def users(names, *folders):
    """Files that import a package of these names, anywhere."""
    return {file for folder in folders for file, found in everywhere(folder).items()
            if any(name.split(".")[0] in names for name in found)}


def among(name, *prefixes):
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in prefixes)


def test_imports_point_inwards_only():
    """scenarios -> exporters -> eventsnn; the commands alone look outwards, inside their functions."""
    for file, tree in modules("eventsnn").items():
        nodes = tree.body if file.startswith("eventsnn/commands/") else ast.walk(tree)
        assert [n for n in imports(file, nodes) if among(n, "eventsnn.exporters", "eventsnn.scenarios")] == [], file
    for file, found in everywhere("exporters").items():
        assert [n for n in found if among(n, "eventsnn.scenarios", "scenarios")] == [], file


def test_models_know_neither_networks_nor_kernels():
    for file, found in everywhere("eventsnn/models").items():
        assert [n for n in found if among(n, "eventsnn.network", "eventsnn.kernel", "eventsnn.simulate")] == [], file


def test_kernels_know_no_network_and_no_model():
    for file, found in everywhere("eventsnn/kernel").items():
        assert [n for n in found if among(n, "eventsnn.network", "eventsnn.graph", "eventsnn.models")] == [], file


@pytest.mark.parametrize(("package", "allowed"), [
    ("numba", {"eventsnn/kernel/link.py", "eventsnn/kernel/atomic.py"}),
    ("networkx", {"eventsnn/graph.py", "eventsnn/jsonfile.py", "eventsnn/placement.py"}),
    ("matplotlib", {"eventsnn/plot.py", "eventsnn/figures.py"}),
    ("simpy", {"eventsnn/reference.py", "eventsnn/fabric.py", "eventsnn/stations.py"}),
    ("typer", {"eventsnn/cli.py", *(f"eventsnn/commands/{name}.py" for name in COMMANDS)}),
    ("rich", {"eventsnn/terminal.py"}),
])
def test_each_dependency_has_its_one_place(package, allowed):
    assert users({package}, "eventsnn", "exporters") == allowed


def test_importing_the_package_is_quick_because_it_imports_nothing_heavy():
    code = f"import sys, eventsnn, eventsnn.spikes; print(*sorted({HEAVY} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_help_needs_no_compiler_and_no_pictures():
    code = "import sys; from eventsnn.cli import main; main(['run', '--help'])\n" \
           f"print(*sorted({HEAVY - {'typer', 'rich'}} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.endswith("\n\n")


def test_the_installed_version_is_the_packages_own():
    """Kernels in numba's cache go by the one, pip by the other."""
    code = "from importlib.metadata import version; import eventsnn; print(version('eventsnn') == eventsnn.__version__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
