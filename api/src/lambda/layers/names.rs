//! How requests name layers and their versions.

use badlambda_shared::function::account::Account;
use badlambda_shared::function::name::LayerName;

use crate::lambda::call::Call;
use crate::lambda::checks::{Checks, Pattern};
use crate::lambda::errors::{Refusal, WireError};

const LONGEST_NAME: usize = 140;

const LAYER_NAME: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+",
    matches: |name| is_name(name) || LayerArn::parse(name).is_some_and(|arn| arn.version.is_none()),
};
pub(super) const LAYER_VERSION_ARN: Pattern = Pattern {
    text: r"((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))",
    matches: |arn| LayerArn::parse(arn).is_some_and(|arn| arn.version.is_some()) || is_of_aws(arn),
};

/// The ARN of a layer, or of a version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayerArn<'a> {
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) name: &'a str,
    version: Option<&'a str>,
}

impl<'a> LayerArn<'a> {
    pub(super) fn parse(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let (["arn", partition, "lambda", region, account, "layer", name], version) =
            (parts.first_chunk()?, &parts[7..])
        else {
            return None;
        };
        let version = match version {
            [] => None,
            [version] if is_number(version) => Some(*version),
            _ => return None,
        };
        let is_partition = partition.is_empty() || partition.starts_with("aws");
        let is_account = account.len() == 12 && is_number(account);
        let is_arn = is_partition && is_region(region) && is_account && is_name(name);
        is_arn.then_some(Self { region, account, name, version })
    }

    /// The layer, if it is one of this account, and there can be one of its name.
    pub(super) fn layer(&self, account: &Account) -> Option<LayerName> {
        let is_own = self.region == account.region && self.account == account.id;
        self.name.parse().ok().filter(|_| is_own)
    }

    /// The version's number, if there can be one.
    pub(super) fn number(&self) -> Option<u32> {
        self.version?.parse().ok().filter(|number| *number > 0)
    }
}

/// The layer that the path names.
pub(super) fn layer(call: &Call, mut checks: Checks) -> Result<LayerName, WireError> {
    let named = call.path("layer");
    checks.length(named, "layerName", 1..=LONGEST_NAME);
    checks.pattern(named, "layerName", LAYER_NAME);
    checks.finish()?;
    let layer = match LayerArn::parse(named) {
        Some(arn) => arn.layer(&call.app.account),
        None => named.parse().ok(),
    };
    Ok(layer.ok_or_else(Refusal::resource_not_found)?)
}

/// The number in the path; `None` where no version can have it.
pub(super) fn number(call: &Call) -> Result<Option<u32>, WireError> {
    let text = call.path("version");
    let number: i128 = text
        .parse()
        .map_err(|_| Refusal::invalid(format!("VersionNumber must be a number; it is {text}.")))?;
    if number < 1 {
        return Err(Refusal::invalid("Layer Version Cannot be less than 1").into());
    }
    Ok(u32::try_from(number).ok())
}

/// Whether it is the ARN of a layer that AWS itself has.
fn is_of_aws(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "lambda", "", "", "awslayer", name] if is_name(name))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// As `eu-central-1` or `us-gov-west-1`.
fn is_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let [words @ .., number] = parts.as_slice() else { return false };
    words.len() >= 2 && words.iter().all(is_word) && number.len() == 1 && is_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_layer_or_a_version_of_it() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:layer:my_layer";
        let layer = LayerArn::parse(arn).unwrap();
        assert_eq!((layer.region, layer.name, layer.number()), ("eu-central-1", "my_layer", None));
        let version = format!("{arn}:12");
        assert_eq!(LayerArn::parse(&version).unwrap().number(), Some(12));
        assert!((LAYER_NAME.matches)(arn) && (LAYER_VERSION_ARN.matches)(&version));
        assert!(!(LAYER_NAME.matches)(&version) && !(LAYER_VERSION_ARN.matches)(arn));
        assert!((LAYER_VERSION_ARN.matches)("arn:aws:lambda:::awslayer:AmazonLinux1803"));
    }

    #[test]
    fn what_is_no_arn_of_a_layer_is_none() {
        for arn in [
            "",
            "arn:aws:lambda:us-east-1:123456789012:layer:",
            "arn:aws:lambda:us-east-1:123456789012:layer:a:b",
            "arn:aws:lambda:us-east-1:123456789012:layer:a:1:2",
            "arn:aws:lambda:us-east-1:1234:layer:a",
            "arn:aws:lambda:nowhere:123456789012:layer:a",
            "arn:aws:lambda:us-east-1:123456789012:function:a",
            "arn:aws:s3:us-east-1:123456789012:layer:a",
        ] {
            assert_eq!(LayerArn::parse(arn), None, "{arn}");
        }
    }
}
