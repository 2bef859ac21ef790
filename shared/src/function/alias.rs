//! What an alias points at: a version, and perhaps a share of executions that others take.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::execution::id::ExecutionId;
use crate::limits;

/// What an alias points at. In JSON it is the version's number, or, with shares, `{"version": 3, "weights": {"4": 0.1}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTarget {
    /// The version that takes what no other does.
    pub version: u32,
    /// The shares of other versions.
    pub weights: BTreeMap<u32, Weight>,
}

/// A share of executions, from 0 to 1, to a millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u32);

const WHOLE: u32 = 1_000_000;

/// Why weights were refused. The text is the end of a sentence that begins with their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// There are more than an alias may have.
    #[error("must name at most {} versions", limits::MAX_ALIAS_WEIGHTS)]
    TooMany,
    /// The version itself is among them.
    #[error("must not name the alias's own version, which takes what is left")]
    Own,
    /// They are more than the whole.
    #[error("must add up to at most 1")]
    TooMuch,
}

impl AliasTarget {
    /// All executions go to this version.
    pub fn whole(version: u32) -> Self {
        Self { version, weights: BTreeMap::new() }
    }

    /// Shares go to other versions. One of 0 is none.
    ///
    /// # Errors
    /// When the weights can't be what they say.
    pub fn shared(version: u32, weights: BTreeMap<u32, Weight>) -> Result<Self, WeightsError> {
        if weights.len() > limits::MAX_ALIAS_WEIGHTS {
            return Err(WeightsError::TooMany);
        }
        if weights.contains_key(&version) {
            return Err(WeightsError::Own);
        }
        if weights.values().map(|weight| weight.0).sum::<u32>() > WHOLE {
            return Err(WeightsError::TooMuch);
        }
        let weights = weights.into_iter().filter(|(_, weight)| weight.0 > 0).collect();
        Ok(Self { version, weights })
    }

    /// The version that this execution runs: as long as the alias points at the same, always the same one.
    pub fn choose(&self, id: &ExecutionId) -> u32 {
        let mut left = position(id);
        for (version, Weight(share)) in &self.weights {
            match left.checked_sub(*share) {
                None => return *version,
                Some(rest) => left = rest,
            }
        }
        self.version
    }

    /// All versions that it may choose.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.version).chain(self.weights.keys().copied())
    }
}

/// Where the execution lies among all, in millionths: ids are spread evenly, whatever they look like.
fn position(id: &ExecutionId) -> u32 {
    let digest = Sha256::digest(id.as_str());
    let leading = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (leading % u64::from(WHOLE)) as u32
}

/// A target with shares, in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename = "AliasTarget", deny_unknown_fields)]
struct WeightedTarget {
    version: u32,
    weights: BTreeMap<u32, Weight>,
}

impl Serialize for AliasTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.weights.is_empty() {
            return serializer.serialize_u32(self.version);
        }
        WeightedTarget { version: self.version, weights: self.weights.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AliasTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = AliasTarget;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version's number, or an object of `version` and `weights`")
    }

    fn visit_u64<E: Error>(self, version: u64) -> Result<AliasTarget, E> {
        u32::try_from(version).map(AliasTarget::whole).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AliasTarget, A::Error> {
        let WeightedTarget { version, weights } =
            WeightedTarget::deserialize(MapAccessDeserializer::new(map))?;
        AliasTarget::shared(version, weights).map_err(A::Error::custom)
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / f64::from(WHOLE))
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(D::Error::custom(format!("a weight is a number from 0 to 1; it is {share}")));
        }
        Ok(Self((share * f64::from(WHOLE)).round() as u32))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(json: serde_json::Value) -> Result<AliasTarget, serde_json::Error> {
        serde_json::from_value(json)
    }

    #[test]
    fn an_alias_is_written_as_it_was_given() {
        for given in [json!(3), json!({"version": 3, "weights": {"4": 0.1, "5": 0.000_001}})] {
            assert_eq!(serde_json::to_value(target(given.clone()).unwrap()).unwrap(), given);
        }
        let without = target(json!({"version": 3, "weights": {"4": 0.0}})).unwrap();
        assert_eq!(without, AliasTarget::whole(3));
    }

    #[test]
    fn an_execution_stays_with_its_share() {
        let shared = target(json!({"version": 3, "weights": {"4": 0.1, "5": 0.2}})).unwrap();
        let mut chosen = BTreeMap::from([(3, 0), (4, 0), (5, 0)]);
        for number in 0..10_000 {
            let id: ExecutionId = format!("order-{number}").parse().unwrap();
            let version = shared.choose(&id);
            assert_eq!(shared.choose(&id), version);
            *chosen.get_mut(&version).unwrap() += 1;
        }
        // Ten thousand ids, which are always the same, are off by far less.
        assert!((6_800..7_200).contains(&chosen[&3]), "{chosen:?}");
        assert!((850..1_150).contains(&chosen[&4]) && (1_800..2_200).contains(&chosen[&5]), "{chosen:?}");
        let all = target(json!({"version": 3, "weights": {"4": 1}})).unwrap();
        assert_eq!(all.choose(&"order-1".parse().unwrap()), 4);
    }

    #[test]
    fn weights_that_can_not_be_are_refused() {
        let shared = |weights| target(json!({"version": 3, "weights": weights})).is_err();
        assert!(shared(json!({"4": 0.6, "5": 0.5})));
        assert!(shared(json!({"3": 0.5})));
        assert!(shared(json!({"4": -0.1})) && shared(json!({"4": 1.1})) && shared(json!({"x": 0.1})));
        let many: BTreeMap<u32, Weight> = (10..31).map(|version| (version, Weight(1))).collect();
        assert_eq!(AliasTarget::shared(3, many), Err(WeightsError::TooMany));
    }
}
