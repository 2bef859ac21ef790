//! JSON and diffs, for people.

use jaq_json::{read, write};

/// JSON with a line for each value in it; what is none stays as it is. Numbers stay digit for digit, names in their order.
pub fn pretty_json(json: &str) -> String {
    let style = write::Pp { indent: Some("  ".to_owned()), sep_space: true, ..write::Pp::default() };
    let mut pretty = vec![];
    let written = read::parse_single(json.as_bytes())
        .ok()
        .and_then(|value| write::write(&mut pretty, &style, 0, &value).ok());
    match written {
        Some(()) => String::from_utf8_lossy(&pretty).into_owned() + "\n",
        None => format!("{json}\n"),
    }
}

/// A unified diff with its lines in colours, where stdout has colours.
pub fn colored_diff(diff: &str) -> String {
    let colored = |line: &str| match line.as_bytes().first() {
        Some(b'+') => console::style(line).green().to_string(),
        Some(b'-') => console::style(line).red().to_string(),
        _ => line.to_owned(),
    };
    if console::colors_enabled() {
        diff.split_inclusive('\n').map(colored).collect()
    } else {
        diff.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_spread_over_lines_and_keeps_its_digits() {
        let pretty = pretty_json(r#"{"b":[1.50,123456789012345678901],"a":{}}"#);
        assert_eq!(pretty, "{\n  \"b\": [\n    1.50,\n    123456789012345678901\n  ],\n  \"a\": {}\n}\n");
        assert_eq!(pretty_json("no json"), "no json\n");
    }
}
