"""Telling how far a long call is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Union

#: ``True`` for a bar, or a callable that takes the samples done and their total (``None`` if that
#: is not known).
Progress = Union[bool, Callable[[int, Optional[int]], None]]


@contextmanager
def reporter(
    progress: Progress, total: Optional[int], sample_rate_hz: float
) -> Iterator[Callable[[int], None]]:
    """Gives a function to be called with the number of samples of every block that is done."""
    if callable(progress):
        yield _counter(progress, total)
    elif progress:
        with _bar(total, sample_rate_hz) as report:
            yield report
    else:
        yield lambda count: None


def _counter(
    callback: Callable[[int, Optional[int]], None], total: Optional[int]
) -> Callable[[int], None]:
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        callback(done, total)

    return report


@contextmanager
def _bar(total: Optional[int], sample_rate_hz: float) -> Iterator[Callable[[int], None]]:
    """A bar in seconds of signal; nothing if tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield lambda count: None
        return
    total_s = None if total is None else round(total / sample_rate_hz, 1)
    layout = "{l_bar}{bar}| {n:.1f}/{total:.1f} s [{elapsed}<{remaining}, {rate_fmt}]"
    with tqdm(
        total=total_s,
        unit=" s of signal",
        desc="decoding",
        bar_format=None if total is None else layout,
    ) as bar:

        def report(count: int) -> None:
            bar.update(count / sample_rate_hz)

        yield report
