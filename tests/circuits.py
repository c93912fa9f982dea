"""What the tests of circuits share."""

import os

import pytest
from eventsnn.exporters.verilog.tools import lacking


def tools(*names):
    """Skip unless they are there or must be."""
    missing = lacking(*names)
    if missing and os.environ.get("EVENTSNN_TOOLS") != "required":
        pytest.skip(f"{missing} not installed")
