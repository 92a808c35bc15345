"""What Python adds to the receiver's cost, and whether two threads share two cores.

Prints two ratios, each measured in turns in one run:

- CPU time of ``nap_sdr.decode`` on an array over that of the Rust receiver on the same samples;
- time of decoding two captures in two threads over that of one after the other.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import nap_sdr
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CENTER_HZ = 868.13e6
RATE_HZ = 250e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the capture")
    arguments = parser.parse_args()
    scene = nap_sdr.simulate(
        {
            "sample_rate_hz": RATE_HZ,
            "duration_s": arguments.seconds,
            "traffic": {"messages": int(arguments.seconds / 6), "level_dbm": [-130, -100]},
        }
    )
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores at the start")
    over_rust(scene.iq, arguments.runs)
    two_threads(scene.iq, arguments.runs)
    print(f"load average {os.getloadavg()[0]:.2f} at the end")


def decode(iq: np.ndarray[tuple[int], np.dtype[np.complex64]]) -> int:
    return len(nap_sdr.decode(iq, RATE_HZ, center_hz=CENTER_HZ))


def over_rust(iq: np.ndarray[tuple[int], np.dtype[np.complex64]], runs: int) -> None:
    python_s, rust_s = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.cf32")
        iq.tofile(path)
        command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "nap-benches"]
        command += ["--bin", "receive", "--", str(path)]
        command += ["--sample-rate-hz", str(RATE_HZ), "--center-hz", str(CENTER_HZ)]
        for _ in range(runs):
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
            cost_s, heard = done.stdout.split()
            rust_s.append(float(cost_s))
            start_s = time.process_time()
            found = decode(iq)
            python_s.append(time.process_time() - start_s)
            assert found == int(heard), f"{found} messages in Python, {heard} in Rust"
    ratio = statistics.median(python_s) / statistics.median(rust_s)
    print(
        f"decode of {len(iq) / RATE_HZ:.0f} s: Python {statistics.median(python_s):.3f} s, Rust "
        f"{statistics.median(rust_s):.3f} s of CPU time, {found} messages: ratio {ratio:.3f}"
    )


def two_threads(iq: np.ndarray[tuple[int], np.dtype[np.complex64]], runs: int) -> None:
    captures = [iq, iq.copy()]
    ratios = []
    for _ in range(runs):
        start_s = time.perf_counter()
        for capture in captures:
            decode(capture)
        in_turn_s = time.perf_counter() - start_s
        threads = [threading.Thread(target=decode, args=(capture,)) for capture in captures]
        start_s = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ratios.append((time.perf_counter() - start_s) / in_turn_s)
    print(
        f"two captures in two threads over one after the other: best {min(ratios):.2f}, median "
        f"{statistics.median(ratios):.2f} of the time"
    )


if __name__ == "__main__":
    main()
