"""Draws the pictures of docs/python."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib
import nap_sdr
from matplotlib.axes import Axes
from nap_sdr import plot, stages

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "python"
SWEEP = {"bit_rate": "100", "payload_bytes": "12", "shape": "rect", "max_drift_hz_per_s": "0.0"}
KEY = "0123456789ABCDEF0123456789ABCDEF"


def main() -> None:
    matplotlib.use("Agg")
    draw_waterfall()
    draw_burst()
    draw_losses()


def draw_waterfall() -> None:
    iq, info = nap_sdr.read(ROOT / "fixtures/recordings/rc1_two_uplinks.sigmf-meta")
    messages = nap_sdr.decode(iq, info.sample_rate_hz, center_hz=info.center_hz)
    rate_hz, center_hz = info.sample_rate_hz, info.center_hz
    save("waterfall", plot.waterfall(iq, rate_hz, center_hz=center_hz, messages=messages))


def draw_burst() -> None:
    """A burst of 9 dB Eb/N0 that drifts by 8 Hz/s."""
    sent = nap_sdr.Uplink("FEDCBA98", 291, b"Hello, burst").encode(KEY)
    channel = nap_sdr.Channel(250e3, seed=4)
    signal = nap_sdr.Signal.burst(sent)
    channel.add(signal, time_s=0.5, offset_hz=23_456.7, level_dbm=-139, drift_hz_per_s=8)
    iq = channel.render(875_000)
    (message,) = nap_sdr.decode(iq, 250e3, center_hz=868.13e6)
    burst = stages.channelize(iq, 250e3, center_hz=868.13e6).burst_of(message)
    save("constellation", plot.constellation(burst, sent))
    save("soft_symbols", plot.soft_symbols(burst, sent))
    save("phase_track", plot.phase_track(burst.measure(sent)))


def draw_losses() -> None:
    """The sweep of docs/sensitivity: 12 bytes at 100 bit/s, one frame and three."""
    with open(ROOT / "docs/sensitivity/loss.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row[k] == v for k, v in SWEEP.items())]
    measured = {
        f"nap, {label}": [
            (float(row["eb_over_n0_db"]), int(row["sent"]) - int(row["heard"]), int(row["sent"]))
            for row in rows
            if row["frames"] == frames
        ]
        for frames, label in [("1", "one frame"), ("3", "three frames")]
    }
    save("loss_rates", plot.loss_rates(measured))


def save(name: str, axes: Axes) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(FOLDER / f"{name}.png", dpi=80, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
