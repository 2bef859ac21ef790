//! What a person sees meanwhile: a spinner on a terminal, plain lines elsewhere. Always on stderr.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::output::say;

const TICK: Duration = Duration::from_millis(80);

/// Progress of one command.
pub struct Progress {
    spinner: Option<ProgressBar>,
}

impl Progress {
    /// Starts to show progress.
    pub fn start() -> Self {
        let spinner = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(spinner) = &spinner {
            spinner.enable_steady_tick(TICK);
        }
        Self { spinner }
    }

    /// Says what happens now.
    pub fn say(&self, what: &str) {
        match &self.spinner {
            Some(spinner) => spinner.set_message(what.to_owned()),
            None => say(what),
        }
    }

    /// Says something that stays.
    pub fn note(&self, what: &str) {
        match &self.spinner {
            Some(spinner) => spinner.println(what),
            None => say(what),
        }
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
