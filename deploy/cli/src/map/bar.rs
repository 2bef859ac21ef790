//! How far a map is, as a person sees it on a terminal. Always on stderr.

use std::io::IsTerminal;
use std::time::Duration;

use badlambda_shared::map::Map;
use indicatif::{ProgressBar, ProgressStyle};

/// The bar takes what the rest leaves of the line.
const TEMPLATE: &str = "{wide_bar} {human_pos}/{human_len} {msg}";

/// A bar, or nothing where there is no terminal.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn of(map: &Map) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(map.total));
        if let Some(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template(TEMPLATE)
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    pub(super) fn show(&self, map: &Map) {
        if let Some(bar) = &self.0 {
            bar.set_position(map.succeeded + map.failed);
            bar.set_message(told(map));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Rate, time left, and what failed.
fn told(map: &Map) -> String {
    let rate = map.per_second.map(|rate| format!("{rate:.0}/s"));
    let left = map.eta_seconds.map(|seconds| format!("{} left", in_words(seconds)));
    let failed = (map.failed > 0).then(|| format!("{} failed", map.failed));
    [rate, left, failed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn in_words(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!([5.9, 65.0, 7384.0].map(in_words), ["5s", "1m 05s", "2h 03m"]);
        assert!(!in_words(f64::INFINITY).is_empty() && !in_words(f64::NAN).is_empty());
    }
}
