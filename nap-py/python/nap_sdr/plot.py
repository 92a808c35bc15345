"""Pictures of recordings and bursts, with units on their axes; needs matplotlib.

Every function draws into ``ax``, or into a new figure, and returns the axes.

>>> import nap_sdr
>>> from nap_sdr import plot
>>> iq, info = nap_sdr.read("fixtures/recordings/rc1_two_uplinks.sigmf-meta")
>>> messages = nap_sdr.decode(iq, info.sample_rate_hz, info.center_hz)
>>> axes = plot.waterfall(iq, info.sample_rate_hz, center_hz=info.center_hz, messages=messages)
"""

from __future__ import annotations

from itertools import cycle
from typing import (
    TYPE_CHECKING,
    Any,
    Iterable,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from . import theory
from ._message import Message
from ._spectrogram import Spectrogram, spectrogram
from ._uplink import Uplink
from .stages import Burst, Measurement

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

__all__ = [
    "constellation",
    "loss_rates",
    "messages",
    "phase_track",
    "soft_symbols",
    "waterfall",
]

#: Colours that people with any vision tell apart (Okabe and Ito).
_COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]

#: Colours for boxes on a waterfall, which is blue to yellow.
_BOX_COLORS = ["#FF7F50", "#FFFFFF", "#FF9DE2", "#FFD24A", "#9DEBFF"]

#: From line to line of the labels beside boxes, points, and the lines that are tried.
_LINE_POINTS = 9
_LINES = (1, 0, 2, -1, 3, -2, 4, 5, 6)

#: More labels than this nobody reads.
_MAX_LABELS = 300

#: A picture of messages shows this width at least, Hz.
_MIN_WIDTH_HZ = 2_000.0

#: Share of the array's cells that are noise for the darkest colour, and of those below the lightest.
_DARKEST, _LIGHTEST = 10.0, 99.9

#: Eb/N0 or so, and loss rate with the numbers lost and sent, of a simulation.
LossRates = Mapping[str, Sequence[Tuple[float, int, int]]]


def _axes(ax: Optional[Axes], size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("nap_sdr.plot needs matplotlib: pip install 'nap-sdr[plot]'") from error
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def waterfall(
    iq: Union[npt.NDArray[Any], Spectrogram],
    sample_rate_hz: Optional[float] = None,
    *,
    center_hz: Optional[float] = None,
    messages: Iterable[Message] = (),
    ax: Optional[Axes] = None,
    cmap: str = "viridis",
    **options: Any,
) -> Axes:
    """Power over frequency and time, with decoded bursts marked.

    Parameters
    ----------
    iq : ndarray or Spectrogram
        Samples, or what ``nap_sdr.spectrogram`` made of them.
    sample_rate_hz : float
        Samples per second; not for a spectrogram.
    center_hz : float, optional
        Frequency of the samples' 0 Hz; not for a spectrogram.
    messages : iterable of Message
        What was decoded in the same samples: each frame gets a box, each message its device's
        identity.
    ax : matplotlib Axes, optional
        Where to draw.
    cmap : str
        A colour map of matplotlib.
    **options
        As for ``nap_sdr.spectrogram``.
    """
    if not isinstance(iq, Spectrogram):
        if sample_rate_hz is None:
            raise TypeError("an array of samples needs sample_rate_hz")
        iq = spectrogram(iq, sample_rate_hz, center_hz=center_hz, **options)
    ax = _axes(ax, (9, 5.5))
    left_hz, right_hz, start_s, end_s = iq.extent
    finite = iq.power_db[np.isfinite(iq.power_db)]
    low, high = np.percentile(finite, [_DARKEST, _LIGHTEST]) if finite.size else (0.0, 1.0)
    image = ax.imshow(
        iq.power_db,
        aspect="auto",
        extent=(left_hz / 1e6, right_hz / 1e6, end_s, start_s),
        cmap=cmap,
        vmin=float(low),
        vmax=float(max(high, low + 1)),
        interpolation="nearest",
    )
    ax.figure.colorbar(image, ax=ax, label=f"power spectral density / ({iq.unit})", pad=0.01)
    ax.set_xlabel("frequency / MHz" if left_hz > 1e6 else "offset from the middle / MHz")
    ax.set_ylabel("time / s")
    ax.ticklabel_format(axis="x", useOffset=False)
    messages = list(messages)
    shown_hz = right_hz - left_hz
    labels = [
        label
        for message, color in zip(messages, cycle(_BOX_COLORS))
        for label in _boxes(ax, message, color, shown_hz)
    ]
    ax.set_xlim(left_hz / 1e6, right_hz / 1e6)
    ax.set_ylim(end_s, start_s)
    _place(ax, labels)
    return ax


def messages(messages: Iterable[Message], *, ax: Optional[Axes] = None) -> Axes:
    """The frames of messages over frequency and time: a box each, in a colour for each device.

    Parameters
    ----------
    messages : iterable of Message
        What was decoded.
    ax : matplotlib Axes, optional
        Where to draw.
    """
    ax = _axes(ax, (9, 5.5))
    messages = list(messages)
    frames = [frame for message in messages for frame in message.frames]
    carriers_hz = [frame.frequency_hz for frame in frames] or [0.0]
    starts_s = [frame.time_s for frame in frames] or [0.0]
    ends_s = [frame.time_s + _duration_s(message) for message in messages
              for frame in message.frames] or [1.0]
    width_hz = max(1.2 * (max(carriers_hz) - min(carriers_hz)), _MIN_WIDTH_HZ)
    middle_hz = (max(carriers_hz) + min(carriers_hz)) / 2
    devices = list(dict.fromkeys(message.device_id for message in messages))
    colors = dict(zip(devices, cycle(_COLORS)))
    labels = [
        label
        for message in messages
        for label in _boxes(ax, message, colors[message.device_id], width_hz, filled=True)
    ]
    margin_s = 0.03 * (max(ends_s) - min(starts_s))
    ax.set_xlim((middle_hz - width_hz / 2) / 1e6, (middle_hz + width_hz / 2) / 1e6)
    ax.set_ylim(max(ends_s) + margin_s, min(starts_s) - margin_s)
    ax.set_xlabel("frequency / MHz" if middle_hz > 1e6 else "offset from the middle / MHz")
    ax.set_ylabel("time / s")
    ax.ticklabel_format(axis="x", useOffset=False)
    ax.grid(True, color="0.92")
    _place(ax, labels)
    return ax


class _Label(NamedTuple):
    """A text beside a box, from ``left`` to ``right`` in MHz and from ``start_s`` on."""

    text: str
    left: float
    right: float
    start_s: float
    color: str


def _duration_s(message: Message) -> float:
    bits = 8 * len(Uplink.of(message).encode(bytes(16)))
    return (bits + 1) / message.bit_rate


def _boxes(
    ax: Axes, message: Message, color: str, shown_hz: float, *, filled: bool = False
) -> list[_Label]:
    """Draws boxes around a message's frames, wide enough to be seen; returns their labels."""
    from matplotlib.patches import Rectangle

    duration_s = _duration_s(message)
    width = max(2 * message.bit_rate, shown_hz / 60) / 1e6
    labels = []
    for number, frame in enumerate(message.frames):
        left = frame.frequency_hz / 1e6 - width / 2
        box = Rectangle((left, frame.time_s), width, duration_s, edgecolor=color, linewidth=1.4)
        box.set_facecolor(color if filled else "none")
        ax.add_patch(box)
        device = message.device_id if number == 0 else ""
        text = f"{device} {frame.rank}".strip()
        labels.append(_Label(text, left, left + width, frame.time_s, color))
    return labels


def _place(ax: Axes, labels: Sequence[_Label]) -> None:
    """Writes labels beside their boxes where none is over another, and if possible over no box.

    A label for which there is no room is left out.
    """
    if not labels:
        return
    # The layout moves the axes when it is first drawn.
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    middle = sum(ax.get_xlim()) / 2
    boxes = [patch.get_window_extent() for patch in ax.patches]
    taken: list[Any] = []
    # Those that name a device come first: they say more.
    for label in sorted(labels, key=lambda label: -len(label.text))[:_MAX_LABELS]:
        text = ax.annotate(
            label.text,
            (label.right, label.start_s),
            xytext=(0, 0),
            textcoords="offset points",
            color=label.color,
            fontsize=8,
            fontweight="bold",
            annotation_clip=True,
        )
        first = label.left > middle
        places = [(on_left, lines) for on_left in (first, not first) for lines in _LINES]
        for obstacles in (boxes + taken, taken):
            if any(_fits(text, label, place, obstacles) for place in places):
                taken.append(text.get_window_extent())
                break
        else:
            text.remove()


def _fits(
    text: Annotation, label: _Label, place: tuple[bool, int], obstacles: Sequence[Any]
) -> bool:
    """Moves a label to a place beside its box; whether it is over none of the obstacles there."""
    on_left, lines = place
    text.xy = (label.left if on_left else label.right, label.start_s)
    text.set_horizontalalignment("right" if on_left else "left")
    text.set_position((-4 if on_left else 4, -_LINE_POINTS * lines))
    extent = text.get_window_extent()
    return not any(extent.overlaps(obstacle) for obstacle in obstacles)


def constellation(
    burst: Burst, bitstream: Optional[bytes] = None, *, ax: Optional[Axes] = None
) -> Axes:
    """The symbols of one burst in the complex plane.

    Parameters
    ----------
    burst : Burst
        See ``nap_sdr.stages``.
    bitstream : bytes, optional
        What was sent; then the symbols are coloured by it, else by the side on which they lie.
    ax : matplotlib Axes, optional
        Where to draw.
    """
    ax = _axes(ax, (4.8, 4.5))
    symbols = burst.symbols / burst.amplitude
    signs = _signs(burst, bitstream)
    for sign, color, label in [(1, _COLORS[0], "as the reference"), (-1, _COLORS[1], "turned")]:
        chosen = symbols[signs == sign]
        ax.plot(chosen.real, chosen.imag, "o", color=color, ms=4, alpha=0.7, mew=0, label=label)
    reach = 1.1 * max(1.2, float(np.abs(symbols).max(initial=0.0)))
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    ax.set_aspect("equal")
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(0, color="0.8", lw=0.8, zorder=0)
    ax.set_xlabel("in phase / amplitude")
    ax.set_ylabel("quadrature / amplitude")
    ax.set_title(f"{len(symbols)} symbols, Es/N0 {burst.es_over_n0_db:.1f} dB", fontsize=10)
    ax.legend(title="phase sent" if bitstream else "phase decided", fontsize=8, loc="upper center")
    return ax


def soft_symbols(
    burst: Burst, bitstream: Optional[bytes] = None, *, ax: Optional[Axes] = None
) -> Axes:
    """The soft symbols of one burst in the order of time; parameters as ``constellation``.

    The known symbols at the beginning, preamble and frame type, are shaded.
    """
    ax = _axes(ax, (9, 3.2))
    values = burst.symbols.real / burst.amplitude
    signs = _signs(burst, bitstream)
    index = np.arange(len(values))
    for sign, color, label in [(1, _COLORS[0], "as the reference"), (-1, _COLORS[1], "turned")]:
        chosen = signs == sign
        ax.plot(index[chosen], values[chosen], "o", color=color, ms=3.5, mew=0, label=label)
    ax.axvspan(-0.5, 32.5, color="0.92", zorder=0, label="known symbols")
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlim(-1, len(values))
    ax.set_xlabel("symbol")
    ax.set_ylabel("soft value / amplitude")
    ax.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return ax


def _signs(burst: Burst, bitstream: Optional[bytes]) -> npt.NDArray[np.float64]:
    from .stages import symbol_signs

    if bitstream is not None:
        return symbol_signs(bitstream)
    return np.where(burst.symbols.real < 0, -1.0, 1.0)


def phase_track(measurement: Measurement, *, ax: Optional[Axes] = None) -> Axes:
    """Frequency of a burst over time, and what is left of the symbols' phases over that track.

    Parameters
    ----------
    measurement : Measurement
        Of ``nap_sdr.stages.Burst.measure``.
    ax : matplotlib Axes, optional
        Where to draw the phases; the frequency goes on a second axis.
    """
    ax = _axes(ax, (9, 3.2))
    ax.plot(
        measurement.time_s,
        np.degrees(measurement.phase_rad),
        "o",
        ms=3,
        mew=0,
        alpha=0.7,
        color=_COLORS[0],
        label="phase of each symbol over the track",
    )
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlabel("time / s")
    ax.set_ylabel("phase / °", color=_COLORS[0])
    reach = max(10.0, 1.15 * float(np.degrees(np.abs(measurement.phase_rad)).max()))
    ax.set_ylim(-reach, reach)
    other = ax.twinx()
    offset_hz = measurement.frequency_hz - measurement.carrier.frequency_hz
    other.plot(measurement.time_s, offset_hz, color=_COLORS[1], label="frequency of the track")
    reach_hz = max(1.0, 1.15 * float(np.abs(offset_hz).max()))
    other.set_ylim(-reach_hz, reach_hz)
    carrier_mhz = measurement.carrier.frequency_hz / 1e6
    other.set_ylabel(f"frequency − {carrier_mhz:.6f} MHz / Hz", color=_COLORS[1])
    handles = [*ax.get_lines()[:1], *other.get_lines()]
    ax.legend(
        handles=handles, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0),
        frameon=False,
    )
    return ax


def loss_rates(
    measured: LossRates,
    *,
    bits: int = theory.LONGEST_CONTAINER_BITS,
    ax: Optional[Axes] = None,
) -> Axes:
    """Loss of messages over Eb/N0, with what ideal receivers lose.

    Parameters
    ----------
    measured : mapping
        For each label points ``(eb_over_n0_db, lost, sent)``. Bars show the range in which the
        rate lies with 95 % probability (Wilson's score interval); where none was lost, a triangle
        shows its upper end.
    bits : int
        Unknown bits of a frame, for the theory.
    ax : matplotlib Axes, optional
        Where to draw.
    """
    ax = _axes(ax, (6.4, 4.4))
    for index, (label, points) in enumerate(measured.items()):
        db = np.array([point[0] for point in points], float)
        lost = np.array([point[1] for point in points], float)
        sent = np.array([point[2] for point in points], float)
        low, high = _wilson(lost, sent)
        some = lost > 0
        rate = lost[some] / sent[some]
        color = _COLORS[index % len(_COLORS)]
        ax.errorbar(
            db[some],
            rate,
            yerr=[np.maximum(rate - low[some], 0), np.maximum(high[some] - rate, 0)],
            fmt="o-",
            ms=4,
            lw=1.2,
            capsize=2,
            color=color,
            label=label,
        )
        ax.plot(db[~some], high[~some], "v", ms=5, mfc="none", color=color)
    low_db, high_db = ax.get_xlim()
    db = np.linspace(low_db, max(high_db, low_db + 1), 200)
    coherent = theory.coherent_loss(db, bits)
    curves = [
        ("ideal differential, one frame", theory.differential_loss(db, bits), ":"),
        ("ideal coherent, one frame", coherent, "--"),
        ("ideal coherent, any of three frames", theory.any_frame_loss(coherent), "-."),
    ]
    for label, loss, style in curves:
        ax.plot(db, loss, style, color="0.35", lw=1.1, label=label)
    ax.set_yscale("log")
    ax.set_ylim(1e-3, 1.3)
    ax.set_xlim(low_db, high_db)
    ax.set_xlabel("Eb/N0 / dB")
    ax.set_ylabel("messages lost")
    ax.grid(True, which="major", color="0.9")
    ax.legend(fontsize=8)
    return ax


def _wilson(
    lost: npt.NDArray[np.float64], sent: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Wilson's score interval of 95 % for a share (JASA 22, 1927)."""
    z = 1.96
    rate = lost / sent
    scale = 1 + z * z / sent
    middle = (rate + z * z / (2 * sent)) / scale
    half = z * np.sqrt(rate * (1 - rate) / sent + z * z / (4 * sent * sent)) / scale
    return middle - half, middle + half
