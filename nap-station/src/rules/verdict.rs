//! What becomes of a message, and why.

use std::fmt;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is relayed.
    Accepted,
    /// The station's budget of the day is used up: it is relayed on another day.
    Held,
    /// It is kept and counted, and goes nowhere.
    Refused(Reason),
}

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It was on the air when the station was deactivated.
    Deactivated,
    /// The white list is on, and the device is not on it.
    NotListed,
    /// An operator, or the rule on anomalies, has blocked the device.
    Blocked,
    /// The device's key is known, and did not make the tag.
    AuthFailed,
    /// Tags are required, and the device's key is not known.
    AuthMissing,
    /// The same message was stored a moment ago.
    Duplicate,
    /// The message counter has been there already.
    Replayed,
    /// The message counter is further ahead than the device can be.
    OutOfSequence,
    /// The device has sent more than it may in an hour.
    OverRate,
    /// The receiver has taken the message back: it was never sent.
    Retracted,
}

impl Verdict {
    /// The verdict's name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it is refused, if it is.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Accepted | Self::Held => None,
        }
    }

    /// The verdict with this name and reason.
    #[must_use]
    pub fn of_names(name: &str, reason: Option<&str>) -> Option<Self> {
        match name {
            "accepted" => Some(Self::Accepted),
            "held" => Some(Self::Held),
            "refused" => Reason::of_name(reason?).map(Self::Refused),
            _ => None,
        }
    }
}

impl Reason {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 10] = [
        Self::Deactivated,
        Self::NotListed,
        Self::Blocked,
        Self::AuthFailed,
        Self::AuthMissing,
        Self::Duplicate,
        Self::Replayed,
        Self::OutOfSequence,
        Self::OverRate,
        Self::Retracted,
    ];

    /// The reason's name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::NotListed => "not_listed",
            Self::Blocked => "blocked",
            Self::AuthFailed => "auth_failed",
            Self::AuthMissing => "auth_missing",
            Self::Duplicate => "duplicate",
            Self::Replayed => "replayed",
            Self::OutOfSequence => "out_of_sequence",
            Self::OverRate => "over_rate",
            Self::Retracted => "retracted",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        let refused = Reason::ALL.into_iter().map(Verdict::Refused);
        for verdict in [Verdict::Accepted, Verdict::Held].into_iter().chain(refused) {
            let reason = verdict.reason().map(Reason::name);
            assert_eq!(Verdict::of_names(verdict.name(), reason), Some(verdict));
        }
        assert_eq!(Verdict::of_names("refused", None), None);
        assert_eq!(Verdict::of_names("lost", None), None);
    }
}
