"""Archives on a cluster: the same messages as one process, whatever happens to a worker."""

from __future__ import annotations

import os
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
from nap_sdr.dask import _pieces, decode_files

# dask writes Parquet in a way that the newest pandas deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

IDENTITY = ["device_id", "sequence_number", "kind", "payload", "bit_rate"]
# Pieces share out the budget of false messages by time, so a frame of which the decision hangs on it, in a
# collision, may be heard in one and not in the other.
MAX_OTHER_FRAMES = 1


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


def assert_same(table: pd.DataFrame, messages: nap_sdr.MessageList) -> None:
    ordered = sorted(messages, key=lambda message: message.time_s)
    expected = nap_sdr.messages_to_dataframe(ordered)
    found = table.sort_values("time_s")
    assert found[IDENTITY].to_numpy().tolist() == expected[IDENTITY].to_numpy().tolist()
    others = [set(a.split()) ^ set(b.split()) for a, b in zip(found["ranks"], expected["ranks"])]
    assert sum(map(len, others)) <= MAX_OTHER_FRAMES
    for ranks, message in zip(found["ranks"], ordered):
        proven = {str(frame.rank) for frame in message.frames if frame.crc_ok}
        assert proven <= set(ranks.split())
    assert np.abs(found["time_s"].to_numpy() - expected["time_s"].to_numpy()).max() < 1e-3
    assert np.abs(found["snr_db"].to_numpy() - expected["snr_db"].to_numpy()).max() < 0.5
    # Which of three equal frames is the cleanest depends on the last digit of the noise.
    for frequency_hz, message, other in zip(found["frequency_hz"], ordered, others):
        distances_hz = [abs(frequency_hz - frame.frequency_hz) for frame in message.frames]
        assert other or min(distances_hz) < 0.5


def computed(table: Any, **options: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.compute(**options)
    return frame


def test_pieces_cover_a_recording_once() -> None:
    for duration_s in [0.5, 299.0, 301.0, 86_400.0]:
        first_s, last_s = 100.0, 100.0 + duration_s
        pieces = _pieces(first_s, last_s, 300.0, 15.0)
        assert pieces[0].keep_from_s == first_s and pieces[-1].keep_to_s == last_s
        for piece, following in zip(pieces, pieces[1:]):
            assert piece.keep_to_s == following.keep_from_s
            assert piece.to_s >= following.keep_from_s + 12 or piece.to_s == last_s
            assert first_s <= following.from_s <= following.keep_from_s - 12


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
        table = decode_files(path, piece_s=6.0, overlap_s=12.0)
    assert "the part from 23.000 s on is left out: " in str(told[-1].message)
    assert_same(computed(table, scheduler="synchronous"), expected)


def test_what_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode_files(tmp_path / "none.sigmf-meta")
    with pytest.raises(nap_sdr.ConfigurationError, match="overlap_s"):
        decode_files(recording("rc2_minus112dbm"), overlap_s=1.0)
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
    table = decode_files("memory://bucket/x.sigmf-meta", piece_s=16.0)
    assert_same(computed(table, scheduler="synchronous"), expected)
    piece = nap_dask._Piece(0.0, 1.0, 0.0, 2.0)
    fetched.clear()
    nap_dask._decode_piece("memory://bucket/x.sigmf-meta", {}, piece, {})
    assert sum(fetched) < 2.1 * 250_000 * 4


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
