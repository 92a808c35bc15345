"""Installs packages, each in a clean environment outside of the project, and decodes a recording.

    python nap-py/tools/install.py RECORDING PACKAGE...
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

#: Run where the project is not in reach, with the recording as its argument.
PROGRAM = """
import sys
import nap_sdr
messages = nap_sdr.decode_file(sys.argv[1])
print(*messages, sep="\\n")
assert len(messages) == 2, messages
"""


def main() -> None:
    recording, *packages = [Path(argument).resolve() for argument in sys.argv[1:]]
    for package in packages:
        print(f"== {package.name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="nap-") as folder:
            decode(recording, package, Path(folder))


def decode(recording: Path, package: Path, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = [str(folder / "venv" / "bin" / "python"), "-W", "error"]
    install = ["pip", "install", "--quiet", str(package)]
    subprocess.run([python[0], "-m", *install], check=True, cwd=folder)
    subprocess.run([*python, "-c", PROGRAM, str(recording)], check=True, cwd=folder)


if __name__ == "__main__":
    main()
