//! Fields that are the word `"never"` or a table.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NEVER: &str = "never";

/// Writes a table, or `"never"` where there is none.
pub(super) fn write<S: Serializer>(table: Option<&impl Serialize>, s: S) -> Result<S::Ok, S::Error> {
    match table {
        None => s.serialize_str(NEVER),
        Some(table) => table.serialize(s),
    }
}

/// Reads a table, or `None` from `"never"`; mistakes in the table keep their place. `expected` says what may be written.
pub(super) fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
    expected: &'static str,
) -> Result<Option<T>, D::Error> {
    struct Either<T>(&'static str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
            if text == NEVER { Ok(None) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    d.deserialize_any(Either(expected, PhantomData))
}
