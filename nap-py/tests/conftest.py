"""What the tests share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
RECORDINGS = FIXTURES / "recordings"

#: Recordings with messages, made by a generator that shares no code with this project.
NAMES = [
    "rc1_two_uplinks",
    "rc1_all_kinds",
    "rc1_minus120dbm",
    "rc1_weak",
    "rc2_minus112dbm",
]


def recording(name: str) -> Path:
    return RECORDINGS / f"{name}.sigmf-meta"


def metadata(name: str) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads(recording(name).read_text())
    return meta


def center_hz(name: str) -> float:
    return float(metadata(name)["captures"][0]["core:frequency"])


def memory_map(name: str) -> npt.NDArray[Any]:
    """The stored integers of a recording, interleaved, not read yet."""
    datatype = metadata(name)["global"]["core:datatype"]
    dtype: Any = {"ci16_le": "<i2", "ci8": "i1"}[datatype]
    array: npt.NDArray[Any] = np.memmap(RECORDINGS / f"{name}.sigmf-data", dtype, "r")
    return array


def sample_rate_hz(name: str) -> float:
    return float(metadata(name)["global"]["core:sample_rate"])


def retuned(folder: Path) -> Path:
    """A recording of two uplinks, after 5 s of pause again 10 kHz higher, and then a second elsewhere."""
    name = "rc1_two_uplinks"
    samples = (RECORDINGS / f"{name}.sigmf-data").read_bytes()
    rate_hz, center = int(sample_rate_hz(name)), center_hz(name)
    width = len(samples) // 2_250_000
    (folder / "retuned.sigmf-data").write_bytes(samples * 2 + bytes(rate_hz * width))
    meta = metadata(name)
    meta["captures"] = [
        {
            "core:sample_start": 0,
            "core:global_index": 0,
            "core:frequency": center,
            "core:datetime": "2026-11-23T06:00:00Z",
        },
        {
            "core:sample_start": 2_250_000,
            "core:global_index": 2_250_000 + 5 * rate_hz,
            "core:frequency": center + 10e3,
        },
        {"core:sample_start": 4_500_000, "core:frequency": 433.92e6},
    ]
    path = folder / "retuned.sigmf-meta"
    path.write_text(json.dumps(meta))
    return path


@pytest.fixture(scope="session")
def nap() -> Path:
    """The command `nap`, built by cargo."""
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    built = Path(os.environ.get("NAP", target / "release" / "nap"))
    found = built if built.exists() else Path(shutil.which("nap") or "")
    if not found.is_file():
        pytest.fail("the command nap is not built: cargo build --release -p nap-cli")
    return found


def run_nap(nap: Path, *arguments: object) -> list[dict[str, Any]]:
    """The JSON lines that the command writes."""
    command = [str(nap), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return [json.loads(line) for line in done.stdout.splitlines()]
