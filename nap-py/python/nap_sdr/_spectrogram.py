"""Power over time and frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Optional

from . import _nap

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Spectrogram:
    """Power spectral density over time and frequency.

    Attributes
    ----------
    power_db : ndarray of float32, shape (times, frequencies)
        Density in ``unit``. Digital silence is minus infinity.
    time_s : ndarray of float64, shape (times,)
        Middle of each row from the first sample, s.
    frequency_hz : ndarray of float64, shape (frequencies,)
        Middle of each column, Hz.
    time_step_s, frequency_step_hz : float
        Distance of rows and columns.
    unit : str
        ``"dBm/Hz"`` with a calibration, else ``"dBFS/Hz"``.
    """

    power_db: npt.NDArray[np.float32]
    time_s: npt.NDArray[np.float64]
    frequency_hz: npt.NDArray[np.float64]
    time_step_s: float
    frequency_step_hz: float
    unit: Literal["dBm/Hz", "dBFS/Hz"]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Edges of the array: first and last frequency, Hz, first and last time, s."""
        half_hz, half_s = self.frequency_step_hz / 2, self.time_step_s / 2
        return (
            float(self.frequency_hz[0]) - half_hz,
            float(self.frequency_hz[-1]) + half_hz,
            float(self.time_s[0]) - half_s,
            float(self.time_s[-1]) + half_s,
        )

    def __repr__(self) -> str:
        rows, columns = self.power_db.shape
        return (
            f"<Spectrogram {rows} times of {self.time_step_s:.6g} s by {columns} frequencies of "
            f"{self.frequency_step_hz:.6g} Hz, {self.unit}>"
        )


def spectrogram(
    iq: npt.NDArray[Any],
    sample_rate_hz: float,
    *,
    center_hz: Optional[float] = None,
    around_hz: Optional[float] = None,
    width_hz: Optional[float] = None,
    resolution_hz: float = 100.0,
    time_step_s: float = 0.01,
    max_rows: int = 1024,
    max_columns: int = 2048,
    pooling: Literal["mean", "max"] = "max",
    full_scale_dbm: Optional[float] = None,
) -> Spectrogram:
    """Power spectral density over time and frequency, in an array the size of a picture.

    Parameters
    ----------
    iq : ndarray
        Samples, as ``Receiver.push`` takes them. Memory does not grow with their number.
    sample_rate_hz : float
        Samples per second.
    center_hz : float, optional
        Frequency of the samples' 0 Hz, Hz; frequencies count from there if left out.
    around_hz, width_hz : float, optional
        Middle and width of the band shown, Hz; the whole band if left out.
    resolution_hz : float
        Distance of the transform's bins, Hz.
    time_step_s : float
        Length of a row to start with, s. When there are more than ``max_rows``, they are merged in
        pairs.
    max_rows, max_columns : int
        Most rows and columns.
    pooling : str
        ``"max"``: a column shows its highest bin, so that a narrow carrier does not fade away.
        ``"mean"``: the density of the column.
    full_scale_dbm : float, optional
        Power of a full-scale carrier at the antenna; densities are then dBm/Hz.

    Returns
    -------
    Spectrogram

    Raises
    ------
    TypeError, SampleError
        If the samples cannot be used.
    ConfigurationError
        If a parameter is out of range, or the band outside the sampled one.
    """
    middle_hz = center_hz or 0.0
    power_db, time_s, frequency_hz, time_step, frequency_step = _nap.spectrogram(
        iq,
        sample_rate_hz,
        offset_hz=0.0 if around_hz is None else around_hz - middle_hz,
        width_hz=sample_rate_hz if width_hz is None else width_hz,
        resolution_hz=resolution_hz,
        time_step_s=time_step_s,
        max_rows=max_rows,
        max_columns=max_columns,
        peak=pooling == "max",
        full_scale_dbm=full_scale_dbm,
    )
    unit: Literal["dBm/Hz", "dBFS/Hz"] = "dBFS/Hz" if full_scale_dbm is None else "dBm/Hz"
    return Spectrogram(
        power_db, time_s, frequency_hz + middle_hz, time_step, frequency_step, unit
    )
