"""Tests run the compiled loop where they do not name another: no run is taken for a little one (see test_brief.py)."""

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_only():
    from eventsnn.kernel import brief

    usual, brief.allowance = brief.allowance, [0]
    yield
    brief.allowance = usual


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_as_at_a_terminal():
    """Shells start what runs in the background deaf to Ctrl-C: tests that interrupt a run would wait for ever."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)
