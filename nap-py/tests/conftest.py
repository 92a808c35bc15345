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
