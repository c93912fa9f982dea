"""The Verilog target: an integer network as parameters and memory images for a hand-written core.

    write    a folder that simulates, synthesises and is programmed as its README.md says
    run      simulates it: verilator, iverilog, or CXXRTL, which needs nothing but PyPI
    report   synthesises, places and routes it: resources, f_max, operations per second
    costs    measures what a core takes for a synapse, a tick's end, a neuron that was reached
"""

from .costs import costs
from .flow import devices, report
from .simulators import engines, run
from .writer import write

__all__ = ["costs", "devices", "engines", "report", "run", "write"]
