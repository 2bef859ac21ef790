//! How requests name a function: by its name, by an ARN or a part of one, perhaps with a qualifier, which may also stand
//! beside it.

mod patterns;

use badlambda_shared::function::account::Account;
use badlambda_shared::function::name::{FunctionName, VersionRef};

pub(crate) use self::patterns::{ALIAS_NAME, Form, QUALIFIER};
use super::checks::Checks;
use super::errors::{Code, Refusal};

/// `$LATEST`, as qualifiers and versions write it.
pub(crate) const LATEST: &str = "$LATEST";
const MAX_QUALIFIER: usize = 128;

/// The function that a request names, and the qualifier, if it has one. What it is answered is qualified exactly where the
/// request was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
    /// As ARNs begin, up to the name.
    arn: String,
}

/// What a qualifier means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Qualified {
    /// `$LATEST`, said or not.
    Latest,
    /// A version's number or an alias.
    Ref(VersionRef),
    /// Nothing that there could be.
    Nothing,
}

impl Asked {
    /// Reads `function`, and `qualifier` beside it, after everything else that `checks` has found.
    ///
    /// # Errors
    /// In AWS's order: the model; another region, another account; a qualifier beside another one.
    pub(crate) fn read(
        account: &Account,
        form: Form,
        function: &str,
        qualifier: Option<&str>,
        mut checks: Checks,
    ) -> Result<Self, Refusal> {
        if let Some(qualifier) = qualifier {
            checks.length(qualifier, "qualifier", 1..=MAX_QUALIFIER);
            checks.pattern(qualifier, "qualifier", QUALIFIER);
        }
        checks.length(function, "functionName", 1..=form.longest());
        let parts = form.parts(function);
        let Some(parts) = parts else {
            checks.pattern(function, "functionName", form.pattern());
            checks.finish()?;
            return Err(Refusal::invalid("the function's name can't be read"));
        };
        checks.finish()?;
        check_owner(account, parts.region, parts.account)?;
        let qualifier = match (parts.qualifier, qualifier) {
            (Some(derived), Some(beside)) if derived != beside => {
                return Err(Refusal::invalid(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (derived, beside) => derived.or(beside).map(str::to_owned),
        };
        let arn = account.function_arn(parts.name);
        Ok(Self { name: parts.name.to_owned(), qualifier, arn })
    }

    /// The function, if there can be one of this name.
    pub(crate) fn function(&self) -> Option<FunctionName> {
        self.name.parse().ok().filter(|name: &FunctionName| !name.is_one_shot())
    }

    /// The function's ARN, without a qualifier.
    pub(crate) fn function_arn(&self) -> &str {
        &self.arn
    }

    /// The ARN as it was asked for.
    pub(crate) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.clone(),
        }
    }

    /// The ARN with the qualifier that stands for none.
    pub(crate) fn qualified_arn(&self) -> String {
        format!("{}:{}", self.arn, self.qualifier.as_deref().unwrap_or(LATEST))
    }

    pub(crate) fn qualified(&self) -> Qualified {
        match self.qualifier.as_deref() {
            None => Qualified::Latest,
            Some(qualifier) => qualified(qualifier),
        }
    }
}

/// What a qualifier, or a function's version in a request, means.
pub(crate) fn qualified(text: &str) -> Qualified {
    match text.parse() {
        Ok(VersionRef::Latest) => Qualified::Latest,
        Ok(version) => Qualified::Ref(version),
        Err(_) => Qualified::Nothing,
    }
}

/// The ARN of a function, with a qualifier.
pub(crate) fn qualified_arn(account: &Account, name: &str, qualifier: &str) -> String {
    format!("{}:{qualifier}", account.function_arn(name))
}

/// Fails where an ARN names another region or another account.
fn check_owner(account: &Account, region: Option<&str>, owner: Option<&str>) -> Result<(), Refusal> {
    if let Some(other) = region.filter(|region| *region != account.region) {
        let own = &account.region;
        return Err(Refusal::not_found(format!(
            "Functions from '{other}' are not reachable in this region ('{own}')"
        )));
    }
    if let Some(other) = owner.filter(|owner| *owner != account.id) {
        let own = &account.id;
        let message = format!(
            "The account {other} is another one than {own}; use function names, or ARNs of this account."
        );
        return Err(Refusal::new(Code::AccessDeniedException, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() }
    }

    fn read(form: Form, function: &str, qualifier: Option<&str>) -> Result<Asked, Refusal> {
        Asked::read(&account(), form, function, qualifier, Checks::default())
    }

    #[test]
    fn every_form_names_the_same_function() {
        for function in [
            "f",
            "function:f",
            "123456789012:function:f",
            "123456789012:f",
            "us-east-1:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
        ] {
            for form in [Form::Reads, Form::Changes] {
                let asked = read(form, function, None).unwrap();
                assert_eq!((asked.name.as_str(), &asked.qualifier), ("f", &None), "{function}");
                let qualified = read(form, &format!("{function}:$LATEST"), Some(LATEST)).unwrap();
                assert_eq!(qualified.arn(), "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
            }
        }
    }

    #[test]
    fn an_alias_is_told_from_a_version_and_from_nothing() {
        let of = |qualifier| read(Form::Reads, "f", Some(qualifier)).unwrap().qualified();
        assert_eq!(of(LATEST), Qualified::Latest);
        assert_eq!(of("12"), Qualified::Ref(VersionRef::Number(12)));
        assert!(matches!(of("live"), Qualified::Ref(VersionRef::Alias(_))));
        for nothing in ["$latest", "$LATEST.PUBLISHED", "0", "99999999999"] {
            assert_eq!(of(nothing), Qualified::Nothing, "{nothing}");
        }
    }

    #[test]
    fn no_function_has_a_name_of_ours() {
        for name in ["_run", "_x", "a.b"] {
            assert_eq!(read(Form::Reads, name, None).unwrap().function(), None, "{name}");
        }
    }
}
