"""The stages of the receiver one by one: from samples to subbands, candidates, hypotheses, soft
symbols and frames.

>>> import nap_sdr
>>> from nap_sdr import stages
>>> iq, info = nap_sdr.read("fixtures/recordings/rc1_two_uplinks.sigmf-meta")
>>> subbands = stages.channelize(iq[:1_000_000], info.sample_rate_hz, center_hz=info.center_hz)
>>> best = max(subbands.detect(bit_rate=100), key=lambda candidate: candidate.power)
>>> hypothesis = subbands.synchronize(best)[0]
>>> burst = subbands.demodulate(hypothesis)
>>> decision = stages.decode_soft_symbols([burst])
>>> decision.frame.device_id
'258E05CA'

Times are in seconds from the first sample, frequencies in hertz; powers and densities are relative
to a carrier at full scale.
"""

from ._burst import Burst, decode_soft_symbols, symbol_signs
from ._records import (
    Candidate,
    Carrier,
    Hypothesis,
    Measurement,
    SoftDecision,
    SoftFrame,
    SoftSymbols,
)
from ._subbands import MIN_CORRELATION, MIN_DETECTION_STATISTIC, Subbands, channelize

__all__ = [
    "MIN_CORRELATION",
    "MIN_DETECTION_STATISTIC",
    "Burst",
    "Candidate",
    "Carrier",
    "Hypothesis",
    "Measurement",
    "SoftDecision",
    "SoftFrame",
    "SoftSymbols",
    "Subbands",
    "channelize",
    "decode_soft_symbols",
    "symbol_signs",
]
