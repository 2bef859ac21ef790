//! AWS's patterns of names, with their texts as errors write them.

use std::sync::LazyLock;

use regex::Regex;

use crate::lambda::checks::Pattern;

/// How an operation takes the name of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Where something is looked at, invoked or deleted.
    Reads,
    /// Where something is made or changed.
    Changes,
}

/// The parts of a function's name or ARN.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) qualifier: Option<&'a str>,
}

const READS: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    matches: |function| Form::Reads.parts(function).is_some(),
};
const CHANGES: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
    matches: |function| Form::Changes.parts(function).is_some(),
};

pub(crate) const QUALIFIER: Pattern = Pattern {
    text: r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
    matches: |text| text == "$LATEST.PUBLISHED" || is_all(text, |c| is_word(c) || c == '$'),
};

pub(crate) const ALIAS_NAME: Pattern = Pattern {
    text: r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    matches: |text| is_all(text, is_word) && !text.chars().all(|c| c.is_ascii_digit()),
};

/// What both patterns begin with, with their groups named.
const BEGINNING: &str = r"^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]):)?(?:(?<account>[0-9]{12}):)?(?:function:)?";

static READ_PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(r"(?<name>[a-zA-Z0-9_.-]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?$")
});
static CHANGE_PARTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(?<name>[a-zA-Z0-9_-]+)(?::(?<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?$"));

/// A test compiles both.
fn compiled(end: &str) -> Option<Regex> {
    Regex::new(&format!("{BEGINNING}{end}")).ok()
}

impl Form {
    pub(super) fn pattern(self) -> Pattern {
        match self {
            Self::Reads => READS,
            Self::Changes => CHANGES,
        }
    }

    /// Characters that a name or an ARN may have.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Reads => 256,
            Self::Changes => 140,
        }
    }

    pub(super) fn parts(self, function: &str) -> Option<Parts<'_>> {
        let parts = match self {
            Self::Reads => &READ_PARTS,
            Self::Changes => &CHANGE_PARTS,
        };
        let captures = parts.as_ref()?.captures(function)?;
        let of = |group: &str| captures.name(group).map(|found| found.as_str());
        Some(Parts {
            region: of("region"),
            account: of("account"),
            name: of("name")?,
            qualifier: of("qualifier"),
        })
    }
}

fn is_all(text: &str, allowed: fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_patterns_compile() {
        assert!(READ_PARTS.is_some() && CHANGE_PARTS.is_some());
    }

    #[test]
    fn an_alias_is_no_number() {
        for (name, is_alias) in
            [("live", true), ("2024-01-02", true), ("2024", false), ("a.b", false), ("", false)]
        {
            assert_eq!((ALIAS_NAME.matches)(name), is_alias, "{name}");
        }
    }
}
