//! Whole numbers, as JSON may write them: `3`, `3.0` and `3e0` are the same number, and so each of them an integer in the
//! sense of JSON Schema (2020-12, validation, section 6.1.1).

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// The largest number up to which a double holds every whole number.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a whole number that is not negative.
///
/// # Errors
/// When it is anything else, or more than `T` holds.
pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_u64(WholeNumber(PhantomData))
}

struct WholeNumber<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for WholeNumber<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        if number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number) {
            return self.visit_u64(number as u64);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<u32> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for written in ["3", "3.0", "3e0", "30e-1"] {
            assert_eq!(read(written), Some(3), "{written}");
        }
        for written in ["3.5", "-3", "-3.0", "4294967296", "4294967296.0", "1e300", "\"3\"", "null"] {
            assert_eq!(read(written), None, "{written}");
        }
    }
}
