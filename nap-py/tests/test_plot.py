"""Pictures hold what they should, with units on their axes."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator

import matplotlib
import nap_sdr
import numpy as np
import pytest
from conftest import recording
from nap_sdr import plot, stages

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.patches import Rectangle  # noqa: E402
from matplotlib.text import Text  # noqa: E402


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    pyplot.close("all")


def test_a_waterfall_marks_every_frame() -> None:
    iq, info = nap_sdr.read(recording("rc1_two_uplinks"))
    assert info.center_hz is not None
    messages = nap_sdr.decode(iq, info.sample_rate_hz, center_hz=info.center_hz)
    axes = plot.waterfall(iq, info.sample_rate_hz, center_hz=info.center_hz, messages=messages)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    frames = [frame for message in messages for frame in message.frames]
    assert len(boxes) == len(frames) == 6
    for box, frame in zip(boxes, frames):
        assert box.get_y() == frame.time_s
        assert box.get_x() < frame.frequency_hz / 1e6 < box.get_x() + box.get_width()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frequency / MHz", "time / s")
    # The strongest signal of the picture is inside one of the boxes.
    spectrum = nap_sdr.spectrogram(iq, info.sample_rate_hz, center_hz=info.center_hz)
    row, column = np.unravel_index(spectrum.power_db.argmax(), spectrum.power_db.shape)
    x, y = axes.transData.transform((spectrum.frequency_hz[column] / 1e6, spectrum.time_s[row]))
    assert any(box.contains_point((x, y)) for box in boxes)


def test_the_pictures_of_a_burst_have_all_its_symbols() -> None:
    iq, info = nap_sdr.read(recording("rc1_two_uplinks"))
    messages = nap_sdr.decode(iq, info.sample_rate_hz)
    burst = stages.channelize(iq, info.sample_rate_hz).burst_of(messages[0])
    decision = stages.decode_soft_symbols([burst])
    assert decision is not None
    bitstream = decision.frame.bitstream
    for axes in [plot.constellation(burst, bitstream), plot.soft_symbols(burst, bitstream)]:
        points = sum(np.size(line.get_xdata()) for line in axes.get_lines()[:2])
        assert points == len(burst.symbols)
        assert "amplitude" in axes.get_ylabel()
    axes = plot.phase_track(burst.measure(bitstream))
    assert "°" in axes.get_ylabel() and axes.get_xlabel() == "time / s"
    assert plot.constellation(burst).get_legend() is not None


def test_loss_rates_stand_beside_theory() -> None:
    axes = plot.loss_rates({"nap": [(4.0, 44, 100), (5.0, 9, 100), (6.0, 0, 100)]})
    legend = axes.get_legend()
    assert legend is not None and len(legend.get_texts()) == 4
    assert axes.get_yscale() == "log"


def test_samples_need_a_rate() -> None:
    with pytest.raises(TypeError, match="sample_rate_hz"):
        plot.waterfall(np.zeros(1000, np.complex64))


def test_silence_has_a_waterfall() -> None:
    axes = plot.waterfall(np.zeros(250_000, np.complex64), 250e3)
    assert axes.get_xlabel() == "offset from the middle / MHz"


def visible_texts(axes: Axes) -> list[Text]:
    return [text for text in axes.texts if text.get_text()]


def assert_none_over_another(axes: Axes) -> None:
    axes.figure.canvas.draw()
    extents = [text.get_window_extent() for text in visible_texts(axes)]
    for n, extent in enumerate(extents):
        assert not any(extent.overlaps(other) for other in extents[n + 1 :])


def test_messages_have_a_picture() -> None:
    messages = nap_sdr.decode_file(recording("rc1_all_kinds"))
    axes = messages.plot()
    frames = [frame for message in messages for frame in message.frames]
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == len(frames)
    for box, frame in zip(boxes, frames):
        assert box.get_y() == frame.time_s
        assert axes.get_xlim()[0] < frame.frequency_hz / 1e6 < axes.get_xlim()[1]
    colors = {tuple(box.get_edgecolor()) for box in boxes}
    # Devices share colours only where there are more of them.
    assert len(colors) == min(7, len({message.device_id for message in messages}))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frequency / MHz", "time / s")
    assert nap_sdr.MessageList().plot().get_ylabel() == "time / s"


def test_labels_do_not_lie_over_each_other() -> None:
    messages = nap_sdr.decode_file(recording("rc1_two_uplinks"))
    # The same messages a little later, up to eight at nearly the same place.
    crowd = nap_sdr.MessageList(
        replace(one, frames=tuple(replace(f, time_s=f.time_s + 0.02 * n) for f in one.frames))
        for one in messages
        for n in range(8)
    )
    axes = crowd.plot()
    assert len(visible_texts(axes)) >= 6
    assert_none_over_another(axes)
    iq, info = nap_sdr.read(recording("rc1_two_uplinks"))
    axes = plot.waterfall(
        iq, info.sample_rate_hz, center_hz=info.center_hz, messages=crowd, ax=None
    )
    assert_none_over_another(axes)
