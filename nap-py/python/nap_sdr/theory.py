"""What ideal receivers lose in white noise: perfect timing, frequency and detection.

Es/N0 of a symbol is Eb/N0 of a frame throughout, as a symbol carries one bit of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Union

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Decibels = Union[float, npt.NDArray[np.float64]]

__all__ = ["any_frame_loss", "coherent_loss", "differential_loss"]

#: Unknown bits of a frame with a payload of 12 bytes.
LONGEST_CONTAINER_BITS = 176


def differential_loss(
    eb_over_n0_db: Decibels, bits: int = LONGEST_CONTAINER_BITS
) -> npt.NDArray[np.float64]:
    """Loss of a frame, each phase compared with the one before and decided at once.

    Parameters
    ----------
    eb_over_n0_db : float or ndarray
        Eb/N0, dB.
    bits : int
        Unknown bits of the frame.

    Returns
    -------
    ndarray of float64
        Probability that the frame is lost.

    Notes
    -----
    The error rate of a bit is ``exp(-Eb/N0) / 2`` [1]_; neighbouring errors are taken as
    independent.

    .. [1] J. Proakis, M. Salehi, "Digital Communications", 5th ed., 4.5-5.
    """
    return _of_bits(0.5 * np.exp(-_ratio(eb_over_n0_db)), bits)


def coherent_loss(
    eb_over_n0_db: Decibels, bits: int = LONGEST_CONTAINER_BITS
) -> npt.NDArray[np.float64]:
    """Loss of a frame whose carrier's phase is known, each phase decided by itself.

    The error rate of a phase is ``Q(sqrt(2 Eb/N0))``. Parameters and result are as in
    ``differential_loss``.
    """
    ratio = _ratio(eb_over_n0_db)
    error_rate = 0.5 * np.array([math.erfc(math.sqrt(value)) for value in ratio.flat])
    return _of_bits(error_rate.reshape(ratio.shape), bits)


def any_frame_loss(loss: npt.NDArray[np.float64], frames: int = 3) -> npt.NDArray[np.float64]:
    """Loss of a message of which any one of the frames suffices, each lost by itself."""
    return np.asarray(loss, np.float64) ** frames


def _ratio(db: Decibels) -> npt.NDArray[np.float64]:
    ratio: npt.NDArray[np.float64] = 10 ** (np.asarray(db, np.float64) / 10)
    return ratio


def _of_bits(error_rate: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.float64]:
    loss: npt.NDArray[np.float64] = 1 - (1 - error_rate) ** bits
    return loss
