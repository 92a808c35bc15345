"""Writes the code of the notebooks as modules to out/notebooks, for mypy to check."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    folder = ROOT / "out" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        (folder / f"{path.stem}.py").write_text("\n\n".join(code) + "\n")


if __name__ == "__main__":
    main()
