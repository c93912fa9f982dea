"""Pieces that no shard owns: each goes through all stretches of a window, in order, led by one shard at a time."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_threads import JITTED

from eventsnn.kernel import pool as pools
from eventsnn.kernel.link import link
from eventsnn.kernel.mail import mail, meet
from eventsnn.kernel.pieces import COMMON
from eventsnn.kernel.pool import AFAR, HELD, ME, PROGRESS, STRETCH, WINDOW, leave, pool, take
from eventsnn.kernel.queue import Queue
from eventsnn.model import Bound

PIECE = np.dtype(COMMON)


def pieces(sizes):
    made = np.zeros(len(sizes), PIECE).view(np.recarray)
    made.last, made.soonest = sizes, np.inf
    return made


def shard(number, window):
    progress = np.zeros(PROGRESS, np.int64)
    progress[ME], progress[WINDOW] = number, window
    return progress


def queue(entries):
    """So many entries for each piece."""
    nothing = np.empty(0, np.int64)
    return Queue(np.cumsum([0, *entries]), nothing, np.empty(0), nothing, nothing, np.empty((0, 2), np.int64))


def after(crew, progress):
    """The stage of a piece that has been led through its stretch."""
    return 2 * (progress[WINDOW] * crew.stretches[0] + progress[STRETCH] + 1)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(2, 4), st.sampled_from([0.0, 1e9]), st.data())
def test_every_stretch_of_every_piece_that_has_something_to_do_is_led_once_and_in_order(sizes, shards, load, data):
    crew, many = pool(np.array(sizes), shards, load, False), pieces(sizes)
    stretches = int(crew.stretches[0])
    assert stretches == (1 if load == 0.0 else pools.MOST)
    for window in (1, 2, 5):
        due = queue(data.draw(st.lists(st.integers(0, 1), min_size=len(sizes), max_size=len(sizes))))
        led = {b: [] for b in range(len(sizes))}
        idle, busy = [shard(k, window) for k in range(shards)], []
        while idle or busy:
            if idle and (not busy or data.draw(st.booleans())):
                one = idle.pop(data.draw(st.integers(0, len(idle) - 1)))
                if take(crew, many, due, one, 1.0, False):
                    assert one[HELD] not in [other[HELD] for other in busy]
                    led[int(one[HELD])].append(int(one[STRETCH]))
                    busy.append(one)                                   # whoever finds nothing goes on to other things
            else:
                one = busy.pop(data.draw(st.integers(0, len(busy) - 1)))
                leave(crew, one[HELD], after(crew, one))
                idle.append(one)
        for b, done in led.items():
            assert done == (list(range(stretches)) if due.first[b] < due.first[b + 1] else [])


def test_a_shard_takes_what_is_at_home_with_it_first_and_from_the_others_when_it_has_done_that():
    crew, many, due = pool(np.array([40, 30, 20]), 2, 0.0, False), pieces([40, 30, 20]), queue([1, 1, 1])
    assert crew.home.tolist() == [0, 1, 1]
    first, second = shard(0, 1), shard(1, 1)
    assert take(crew, many, due, second, 1.0, False)
    assert (second[HELD], second[AFAR]) == (1, 0)
    assert take(crew, many, due, first, 1.0, False)
    assert (first[HELD], first[AFAR]) == (0, 0)
    leave(crew, 0, after(crew, first))
    assert take(crew, many, due, first, 1.0, False)
    assert (first[HELD], first[AFAR]) == (2, 1)                        # led by another before
    assert not take(crew, many, due, second, 1.0, False) or second[HELD] != 1


def test_pieces_that_begin_by_themselves_or_are_recorded_are_taken_too():
    crew, many, due = pool(np.array([4, 4]), 2, 0.0, False), pieces([4, 4]), queue([0, 0])
    assert not take(crew, many, due, shard(0, 1), 1.0, True)
    many.soonest[1] = 0.5
    one = shard(0, 1)
    assert take(crew, many, due, one, 1.0, False)
    assert one[HELD] == 1
    many.recorded[0] = 1
    assert not take(crew, many, due, shard(1, 1), 1.0, False)
    assert take(crew, many, due, shard(1, 1), 1.0, True)


@pytest.mark.skipif(not JITTED, reason="NUMBA_DISABLE_JIT is set: there is nothing to compile")
def test_two_compiled_threads_never_lead_one_piece_at_once():
    """Each adds to a number that only the leader of a piece may touch, in two steps."""
    from eventsnn.kernel import atomic

    crew, post = pool(np.full(3, 10), 2, 1e9, True), mail(2, 1, True)
    count = np.zeros(3, np.int64)
    names = {name: getattr(atomic, name) for name in ("stage_of", "seize", "leave", "meet")}
    step = link(Bound.to(lead, names))
    windows = 3000

    def work(number):
        step(crew, pieces([10, 10, 10]), queue([1, 1, 1]), shard(number, 0), count, post, windows)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.tolist() == [windows * pools.MOST] * 3


def lead(crew, many, due, progress, count, post, windows):
    """All windows, one after the other, with a meeting after each."""
    for window in range(1, windows + 1):
        progress[WINDOW] = window
        while take(crew, many, due, progress, 1.0, False):
            b = progress[HELD]
            before = count[b]
            for _ in range(20):
                count[b] = before
            count[b] = before + 1
            leave(crew, b, 2 * (window * crew.stretches[0] + progress[STRETCH] + 1))
        meet(post, progress[ME], window)
