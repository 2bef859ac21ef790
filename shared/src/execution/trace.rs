//! The trace that an execution belongs to, as its producer names it: by W3C Trace Context, by AWS X-Ray, or by both.
//!
//! A trace serves whoever looks into something later, and must never decide whether anything runs: what is malformed
//! is ignored, as Trace Context asks (section 3.2), and nothing unchecked comes into a log line or an environment.

/// The message attribute, and the HTTP header, that hold a W3C `traceparent`.
pub const TRACEPARENT: &str = "traceparent";
/// The HTTP header that holds X-Ray's trace header; in a message it is the system attribute `AWSTraceHeader`.
pub const X_AMZN_TRACE_ID: &str = "x-amzn-trace-id";

/// A `traceparent` of version 00 has exactly this size, and those of later versions begin with as much.
const TRACEPARENT_CHARS: usize = 55;
/// Room for what later versions append.
const MAX_TRACEPARENT_CHARS: usize = 128;
/// AWS sets no bound in writing; its own longest headers, with a `Lineage`, have about 200 characters.
const MAX_XRAY_CHARS: usize = 512;

/// What is known of a trace. Everything in it has been checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    traceparent: Option<String>,
    xray: Option<String>,
}

impl Trace {
    /// No trace.
    pub const NONE: Self = Self { traceparent: None, xray: None };

    /// Takes what is well formed, and leaves what is not.
    pub fn read(traceparent: Option<&str>, xray: Option<&str>) -> Self {
        Self {
            traceparent: traceparent.filter(|text| is_traceparent(text)).map(str::to_owned),
            xray: xray.filter(|text| xray_root(text).is_some()).map(str::to_owned),
        }
    }

    /// As W3C writes it.
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// As X-Ray writes it.
    pub fn xray(&self) -> Option<&str> {
        self.xray.as_deref()
    }

    /// The same trace, with another `traceparent`.
    pub(crate) fn with_traceparent(self, traceparent: String) -> Self {
        Self { traceparent: Some(traceparent), ..self }
    }

    /// The trace's id, 32 hexadecimal digits. X-Ray's are the same without its version and hyphens.
    pub fn id(&self) -> Option<String> {
        let w3c = self.traceparent().map(|text| text[3..35].to_owned());
        w3c.or_else(|| self.xray().and_then(xray_root).map(|root| root[2..].replace('-', "")))
    }
}

/// `VERSION-TRACE_ID-PARENT_ID-FLAGS` (Trace Context, section 3.2.2). A later version may have more behind it.
fn is_traceparent(text: &str) -> bool {
    let Some((known, rest)) = text.split_at_checked(TRACEPARENT_CHARS) else { return false };
    let mut fields = known.split('-');
    let mut field = |chars| fields.next().filter(|field| is_hex(field, chars));
    let (Some(version), Some(trace), Some(parent), Some(_flags)) = (field(2), field(32), field(16), field(2))
    else {
        return false;
    };
    let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
    let ends_well = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || (rest.starts_with('-') && rest.bytes().all(|byte| byte.is_ascii_graphic())),
    };
    ends_well && text.len() <= MAX_TRACEPARENT_CHARS && !is_zero(trace) && !is_zero(parent)
}

/// The field `Root` of a well-formed header: `Root=1-TIME-ID;Parent=ID;Sampled=1`, and others, in any order.
fn xray_root(text: &str) -> Option<&str> {
    if text.len() > MAX_XRAY_CHARS {
        return None;
    }
    let mut found = None;
    for field in text.split(';') {
        let (name, value) = field.trim_matches(' ').split_once('=')?;
        let is_known = match name {
            "Root" => found.replace(value).is_none() && is_xray_root(value),
            "Parent" => is_hex(value, 16),
            "Sampled" => matches!(value, "0" | "1" | "?"),
            _ => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        };
        if !is_known || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
    }
    found
}

fn is_xray_root(root: &str) -> bool {
    let mut fields = root.split('-');
    fields.next() == Some("1")
        && fields.next().is_some_and(|time| is_hex(time, 8))
        && fields.next().is_some_and(|id| is_hex(id, 24))
        && fields.next().is_none()
}

fn is_hex(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const XRAY: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn both_kinds_are_taken_as_they_are() {
        let trace = Trace::read(Some(W3C), Some(XRAY));
        assert_eq!((trace.traceparent(), trace.xray()), (Some(W3C), Some(XRAY)));
        assert_eq!(trace.id().unwrap(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(Trace::read(None, Some(XRAY)).id().unwrap(), "67891233abcdef012345678912345678");
        assert_eq!(Trace::read(None, None), Trace::NONE);
        assert_eq!(Trace::NONE.id(), None);
    }

    #[test]
    fn only_a_well_formed_traceparent_is_one() {
        let later = W3C.replacen("00", "01", 1);
        assert!(is_traceparent(&later) && is_traceparent(&format!("{later}-more")));
        for bad in [
            "".to_owned(),
            W3C[..54].to_owned(),
            format!("{W3C}-more"),
            format!("{later}more"),
            format!("{later}-\n"),
            format!("{later}-{}", "x".repeat(100)),
            W3C.replacen("00", "ff", 1),
            W3C.to_uppercase(),
            W3C.replace('-', "_"),
            W3C.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            W3C.replace("b7ad6b7169203331", &"0".repeat(16)),
            format!("{}é", &W3C[..54]),
        ] {
            assert!(!is_traceparent(&bad), "{bad:?}");
        }
    }

    #[test]
    fn only_a_well_formed_xray_header_is_one() {
        let root = "Root=1-67891233-abcdef012345678912345678";
        for good in [
            root.to_owned(),
            format!("Self=1-67891234-12456789abcdef0123456789;{root}; CalledFrom=app"),
            format!("{XRAY};Lineage=a87bd80c:0|68fd508a:5"),
            format!("{root};Sampled=?"),
        ] {
            assert!(Trace::read(None, Some(&good)).xray().is_some(), "{good}");
        }
        for bad in [
            "".to_owned(),
            "Parent=53995c3f42cd8ad8".to_owned(),
            root.replace("1-", "2-"),
            format!("{root}-1"),
            format!("{root};"),
            format!("{root};{root}"),
            format!("{root};Parent=1"),
            format!("{root};Sampled=yes"),
            format!("{root};X=a\nb"),
            format!("{root};X=é"),
            format!("{root};A-B=1"),
            format!("{root};X={}", "x".repeat(512)),
        ] {
            assert!(Trace::read(None, Some(&bad)).xray().is_none(), "{bad:?}");
        }
    }
}
