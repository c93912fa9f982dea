"""Tests run the compiled loop where they do not name another: no run is taken for a little one (see test_brief.py)."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_only():
    from eventsnn.kernel import brief

    usual, brief.allowance = brief.allowance, [0]
    yield
    brief.allowance = usual
