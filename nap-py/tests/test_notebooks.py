"""The notebooks run from top to bottom and show what they promise."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

FOLDER = ROOT / "examples" / "notebooks"

#: What has to be in the outputs, and how many pictures.
EXPECTED = {
    "first_capture": (["258E05CA", "71a0f59d61c1b8ec5e17d6", "verified", "complete"], 1),
    "inside_one_burst": (["48656c6c6f2c206275727374", "nine_to_twelve_bytes", "dBm"], 5),
    "a_weak_burst_that_wanders": (["48656c6c6f2c206275727374", "joint"], 4),
    "sensitivity": (["nap, one frame"], 1),
    "a_day_of_captures_with_dask": (["48 of 48 messages", "part.0.parquet"], 1),
}


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(EXPECTED)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_notebook_runs(name: str) -> None:
    texts, pictures = EXPECTED[name]
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = "".join(text_of(output) for output in outputs)
    for text in texts:
        assert text in shown
    assert sum("image/png" in output.get("data", {}) for output in outputs) == pictures


def text_of(output: Any) -> str:
    data = output.get("data", {})
    return str(output.get("text", "")) + "".join(
        str(value) for kind, value in data.items() if kind.startswith("text/")
    )


def test_notebooks_are_kept_without_outputs() -> None:
    for path in FOLDER.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert not any(cell.get("outputs") for cell in notebook.cells), path.name
