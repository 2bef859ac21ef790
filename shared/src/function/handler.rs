//! What `config.handler` names.

/// The parts of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handler<'a> {
    /// The file of a zip, from its root on and without `.rb`; `None` where the code is one file.
    pub file: Option<&'a str>,
    /// The class, or module, that has the method; `None` for a top-level method.
    pub class: Option<&'a str>,
    /// The method.
    pub method: &'a str,
}

impl<'a> Handler<'a> {
    /// The file of a zip that has the handler where nothing names one, without `.rb`. `worker/ruby` knows it, too.
    pub const USUAL_FILE: &'static str = "function";

    /// The parts of `method`, `file.method` or `file.Class.method`, or `None` where it is none of them.
    pub fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let handler = match (parts.next()?, parts.next(), parts.next()) {
            (method, None, _) => Self { file: None, class: None, method },
            (file, Some(method), None) => Self { file: Some(file), class: None, method },
            (file, Some(class), Some(method)) => Self { file: Some(file), class: Some(class), method },
        };
        let is_valid = handler.file.is_none_or(is_path)
            && handler.class.is_none_or(|class| class.split("::").all(is_constant))
            && is_method(handler.method);
        is_valid.then_some(handler)
    }
}

fn is_path(file: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name != ".." && !name.contains(char::is_whitespace);
    file.split('/').all(is_name)
}

fn is_constant(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && is_word(name)
}

fn is_method(name: &str) -> bool {
    let stem = name.strip_suffix(['?', '!']).unwrap_or(name);
    stem.len() <= 64 && stem.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && is_word(stem)
}

fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_has_up_to_three_parts() {
        for (text, file, class, method) in [
            ("run", None, None, "run"),
            ("done?", None, None, "done?"),
            ("function.handler", Some("function"), None, "handler"),
            ("lib/app.handler", Some("lib/app"), None, "handler"),
            ("app.Shop::Orders.handle!", Some("app"), Some("Shop::Orders"), "handle!"),
        ] {
            assert_eq!(Handler::of(text), Some(Handler { file, class, method }), "{text}");
        }
    }

    #[test]
    fn what_is_no_handler_is_refused() {
        for text in [
            "", ".", "a.", ".a", "Run", "a.b.c", "a.B.", "a.B::.c", "../a.b", "a//b.c", "/a.b", "a.B.c.d",
            "a b", "a.Bé.c", "a.B.Run",
        ] {
            assert_eq!(Handler::of(text), None, "{text}");
        }
    }
}
