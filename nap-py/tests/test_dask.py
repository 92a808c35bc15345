"""Archives on a cluster: the same messages as one process, whatever happens to a worker."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import fsspec  # type: ignore[import-untyped]
import nap_sdr
import numpy as np
import pandas as pd
import pytest
from conftest import RECORDINGS, recording, retuned
from nap_sdr import dask as nap_dask
from nap_sdr._options import with_defaults
from nap_sdr.dask import decode_files

# dask writes Parquet in a way that the newest pandas deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

#: Local files, and nothing else than what is usual.
HOW = nap_dask._How({}, {}, with_defaults({}, nap_sdr.Receiver))

@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nap_sdr.MessageList]:
    """A recording of a minute and a half, busy at both bit rates, and what is in it."""
    scene = nap_sdr.simulate(
        {
            "sample_rate_hz": 200_000,
            "duration_s": 90.0,
            "seed": 11,
            "traffic": {"messages": 40, "level_dbm": [-125, -100], "bit_rates": [100, 600]},
        }
    )
    path = tmp_path_factory.mktemp("archive") / "day_868.13M_200k.cs8"
    scaled = np.clip(np.round(scene.iq.view(np.float32) * 2000), -128, 127)
    scaled.astype(np.int8).tofile(path)
    messages = nap_sdr.decode_file(path)
    assert len(messages) > 30
    return path, messages


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """All of a table but the path: dask has types of its own for text, and for its absence."""
    records = table.drop(columns="recording").to_dict("records")
    return [
        {str(name): None if pd.isna(value) else value for name, value in one.items()}
        for one in records
    ]


def assert_same(table: pd.DataFrame, messages: nap_sdr.MessageList) -> None:
    """Order, numbers, times, frames, levels: all of it."""
    assert len(messages)
    assert rows(table) == rows(nap_sdr.messages_to_dataframe(messages))


def computed(table: Any, **options: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.compute(**options)
    return frame


def plan(piece_s: float) -> Any:
    return nap_dask._plan(str(recording("rc1_all_kinds")), HOW, piece_s)


def test_pieces_cover_a_recording_once() -> None:
    rate_hz = 250_000
    with nap_sdr.Recording(recording("rc1_all_kinds")) as opened:
        assert opened.sample_rate_hz == rate_hz and opened.total_samples is not None
        total = opened.total_samples
    for piece_s in [300.0, 16.0, 1.0]:
        pieces = plan(piece_s)
        assert len(pieces) == max(1, round(total / rate_hz / piece_s))
        for piece, following in zip(pieces, pieces[1:]):
            assert piece.own[1] == following.own[0] <= total
            assert piece.read[1] >= min(total, piece.own[1] + 17 * rate_hz)
            assert following.read[0] <= max(0, following.own[0] - 13.9 * rate_hz)
        assert pieces[0].own[0] == 0 and pieces[-1].own[1] >= total


def test_pieces_travel() -> None:
    piece = plan(8.0)[1]
    sent = pickle.loads(pickle.dumps(piece))
    assert sent.__getnewargs__() == piece.__getnewargs__()
    assert (sent.own, sent.read) == (piece.own, piece.read)


def test_without_dask_it_says_how_to_get_it() -> None:
    program = "import sys; sys.modules['dask'] = None; import nap_sdr.dask"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: nap_sdr.dask needs dask: pip install 'nap-sdr[dask]'" in ended.stderr


def test_files_are_partitions() -> None:
    names = ["rc2_minus112dbm", "rc1_two_uplinks"]
    paths = [recording(name) for name in names]
    table = decode_files(paths)
    assert table.npartitions == 2
    frame = computed(table, scheduler="synchronous")
    expected = [nap_sdr.decode_file(path) for path in paths]
    assert list(frame["recording"]) == [str(p) for p, m in zip(paths, expected) for _ in m]
    assert_same(frame[frame["recording"] == str(paths[1])], expected[1])


def test_each_part_of_a_retuned_recording_has_its_own_centre(tmp_path: Path) -> None:
    path = retuned(tmp_path)
    with pytest.warns(nap_sdr.RecordingWarning):
        expected = nap_sdr.decode_file(path)
    assert len(expected) == 4
    with pytest.warns(nap_sdr.RecordingWarning) as told:
        table = decode_files(path, piece_s=6.0)
    assert "the part from 23.000 s on is left out: " in str(told[-1].message)
    assert_same(computed(table, scheduler="synchronous"), expected)


def test_what_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode_files(tmp_path / "none.sigmf-meta")
    with pytest.raises(nap_sdr.ConfigurationError, match="piece_s=0.5"):
        decode_files(recording("rc2_minus112dbm"), piece_s=0.5)
    with pytest.raises(nap_sdr.ConfigurationError, match="give one path"):
        decode_files([])
    with pytest.raises(nap_sdr.ConfigurationError, match="100 or 600"):
        decode_files(recording("rc2_minus112dbm"), bit_rate=50)


def test_stores_are_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    store = fsspec.filesystem("memory")
    for suffix in ["sigmf-meta", "sigmf-data"]:
        content = (RECORDINGS / f"rc1_all_kinds.{suffix}").read_bytes()
        store.pipe_file(f"/bucket/x.{suffix}", content)
    monkeypatch.setattr(nap_dask, "_HEAD", 1 << 12)
    fetched: list[int] = []
    cat_file = type(store).cat_file

    def counted(self: Any, path: str, start: int, end: int) -> Any:
        fetched.append(end - start)
        return cat_file(self, path, start, end)

    monkeypatch.setattr(type(store), "cat_file", counted)
    expected = nap_sdr.decode_file(recording("rc1_all_kinds"))
    table = decode_files("memory://bucket/x.sigmf-meta", piece_s=8.0)
    assert_same(computed(table, scheduler="synchronous"), expected)
    store.pipe_file("/bucket/x.sigmf-data", content * 3)
    piece = nap_dask._plan("memory://bucket/x.sigmf-meta", HOW, 16.0)[0]
    fetched.clear()
    nap_dask._decode_piece("memory://bucket/x.sigmf-meta", HOW, piece)
    assert piece.read[1] < 34 * 250_000
    assert sum(fetched) == (piece.read[1] + 1) * 4 + (1 << 12)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster, Client(cluster) as client:
        yield client


@pytest.mark.slow
def test_two_processes_find_what_one_does(
    archive: tuple[Path, nap_sdr.MessageList], client: Any, tmp_path: Path
) -> None:
    path, expected = archive
    table = decode_files(path, client, piece_s=12.0)
    assert_same(computed(table), expected)
    table.to_parquet(tmp_path / "messages")
    assert_same(pd.read_parquet(tmp_path / "messages"), expected)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(
    archive: tuple[Path, nap_sdr.MessageList], client: Any
) -> None:
    path, expected = archive
    pids = client.run(os.getpid)
    table = decode_files(path, client, piece_s=8.0)
    threading.Timer(0.5, lambda: os.kill(next(iter(pids.values())), signal.SIGKILL)).start()
    assert_same(computed(table), expected)
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(pids.values())
