//! Types that serialise as the text they print and parse.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};

/// `Serialize` through `Display`.
macro_rules! serialize_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// `Deserialize` through `FromStr`; the text says what was expected.
macro_rules! deserialize_from_text {
    ($type:ty, $expecting:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::serde_text::Text::expecting($expecting))
            }
        }
    };
}

pub(crate) use {deserialize_from_text, serialize_as_text};

/// Visits text and parses it.
pub(crate) struct Text<T> {
    expecting: &'static str,
    parsed: PhantomData<T>,
}

impl<T> Text<T> {
    pub(crate) const fn expecting(expecting: &'static str) -> Self {
        Self { expecting, parsed: PhantomData }
    }
}

impl<T> Visitor<'_> for Text<T>
where
    T: FromStr<Err: fmt::Display>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    // Numbers are refused without saying which: one of them may have been meant as a key.
    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Err(not_a_number(self.expecting))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Err(not_a_number(self.expecting))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<T, E> {
        Err(not_a_number(self.expecting))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<T, E> {
        Err(not_a_number(self.expecting))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Err(not_a_number(self.expecting))
    }
}

fn not_a_number<E: Error>(expecting: &str) -> E {
    E::custom(format_args!("a number, expected {expecting}, in quotes"))
}
