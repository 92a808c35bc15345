//! The names of deliveries in tables.

use crate::relay::outbox::Kind;

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "message",
        Kind::Update => "update",
        Kind::Event => "event",
    }
}

pub(super) fn kind_of_name(name: &str) -> Option<Kind> {
    [Kind::Message, Kind::Update, Kind::Event].into_iter().find(|kind| kind_name(*kind) == name)
}
