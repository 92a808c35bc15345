"""Where and how fast the devices of a region send."""

from __future__ import annotations

from dataclasses import dataclass

from . import _nap

#: Width of an uplink channel, Hz.
CHANNEL_WIDTH_HZ: int = _nap.channel_width_hz()


@dataclass(frozen=True)
class RadioConfiguration:
    """The rules of a region; ``named`` and ``all`` give them.

    Attributes
    ----------
    name : str
        ``"RC1"`` to ``"RC7"``, of which Japan has ``"RC3_LBT"`` and ``"RC3_LDC"``.
    uplink_center_hz, downlink_center_hz : int
        Middles of the channels, Hz.
    guard_hz : int
        How far devices stay from the channel's edges, Hz.
    bit_rates : tuple of int
        Bit rates that devices may use, bit/s.
    nominal_bit_rate : int
        The bit rate in the field, bit/s.
    max_eirp_dbm : int
        Highest power that a device may radiate, dBm EIRP.
    """

    name: str
    uplink_center_hz: int
    downlink_center_hz: int
    guard_hz: int
    bit_rates: tuple[int, ...]
    nominal_bit_rate: int
    max_eirp_dbm: int

    @staticmethod
    def all() -> tuple[RadioConfiguration, ...]:
        """All radio configurations."""
        return _ALL

    @staticmethod
    def named(name: str) -> RadioConfiguration:
        """The radio configuration of this name, in either case.

        Raises
        ------
        KeyError
            If there is none.
        """
        for configuration in _ALL:
            if configuration.name == name.upper():
                return configuration
        names = ", ".join(configuration.name for configuration in _ALL)
        raise KeyError(f"unknown radio configuration {name!r}; give {names}")

    @property
    def channel_hz(self) -> tuple[float, float]:
        """Lower and upper edge of the uplink channel, Hz."""
        half_hz = CHANNEL_WIDTH_HZ / 2
        return (self.uplink_center_hz - half_hz, self.uplink_center_hz + half_hz)

    def covers(self, frequency_hz: float) -> bool:
        """Whether a frequency is inside the uplink channel."""
        low_hz, high_hz = self.channel_hz
        return low_hz <= frequency_hz <= high_hz

    def downlink_frequency_hz(self, uplink_frequency_hz: float) -> float:
        """Where a device listens that sent its first frame on this frequency."""
        return uplink_frequency_hz + self.downlink_center_hz - self.uplink_center_hz


_ALL = tuple(
    RadioConfiguration(name, up, down, guard, tuple(rates), nominal, eirp)
    for name, up, down, guard, rates, nominal, eirp in _nap.radio_configurations()
)
