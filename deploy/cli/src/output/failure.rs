//! How a command ends that does not succeed: a sentence on stderr, and an exit status.

use std::fmt;
use std::io;
use std::process::ExitCode;

use badlambda_client::Error;

use crate::output::terminal::say;

/// Why a command does not succeed.
#[derive(Debug)]
pub enum Failure {
    /// The function did not succeed.
    FunctionFailed(String),
    /// The command was not used as it must be, or what it was given can't be taken.
    Usage(String),
    /// A failure of Bad Lambda's, or nobody answers.
    Ours(String),
    /// The token does not allow it.
    NotAllowed(String),
    /// There is no such thing.
    NotFound(String),
    /// Somebody pressed Ctrl-C.
    Interrupted(String),
    /// Whoever read stdout has read enough, as `head` does.
    ReaderLeft,
}

impl Failure {
    /// Says it, and gives the exit status, as the command line's help has them.
    pub fn end(self) -> ExitCode {
        if !matches!(self, Self::ReaderLeft) {
            say(&format!("badlambda: {self}"));
        }
        ExitCode::from(self.status())
    }

    fn status(&self) -> u8 {
        match self {
            Self::ReaderLeft => 0,
            Self::FunctionFailed(_) => 1,
            Self::Usage(_) => 2,
            Self::Ours(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::NotFound(_) => 5,
            Self::Interrupted(_) => 130,
        }
    }

    /// The same with this behind its sentence.
    pub fn with_hint(self, hint: &str) -> Self {
        match self {
            Self::NotFound(sentence) => Self::NotFound(format!("{sentence}{hint}")),
            other => other,
        }
    }

    /// The same with what it is about before its sentence.
    pub fn about(mut self, what: &str) -> Self {
        match &mut self {
            Self::FunctionFailed(sentence)
            | Self::Usage(sentence)
            | Self::Ours(sentence)
            | Self::NotAllowed(sentence)
            | Self::NotFound(sentence)
            | Self::Interrupted(sentence) => sentence.insert_str(0, &format!("{what}: ")),
            Self::ReaderLeft => {}
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FunctionFailed(sentence)
            | Self::Usage(sentence)
            | Self::Ours(sentence)
            | Self::NotAllowed(sentence)
            | Self::NotFound(sentence)
            | Self::Interrupted(sentence) => f.write_str(sentence),
            Self::ReaderLeft => f.write_str("nobody reads the output any more"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = error.problem().map(|problem| problem.status);
        // Every call of this command's has a path that its own API has.
        let is_older = error.is("not_found") || error.is("method_not_allowed");
        let sentence = match (&error, status) {
            _ if is_older => {
                format!(
                    "{error}; this API does not know the call: it is older than this command, so update it"
                )
            }
            (Error::Unreachable { .. }, _) => format!("{error}; is the URL right, and does the API run?"),
            (_, Some(401)) => format!("{error}; give a token with --token or BADLAMBDA_TOKEN"),
            _ => error.to_string(),
        };
        match (error, status) {
            _ if is_older => Self::Ours(sentence),
            (Error::Address(_) | Error::Client(_), _) => Self::Usage(sentence),
            (_, Some(401 | 403)) => Self::NotAllowed(sentence),
            (_, Some(404)) => Self::NotFound(sentence),
            (_, Some(429)) => Self::Ours(sentence),
            (_, Some(400..500)) => Self::Usage(sentence),
            _ => Self::Ours(sentence),
        }
    }
}

/// A failure within this process.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Ours(format!("{error:#}"))
    }
}

/// A failure to write to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::Ours(format!("could not write to stdout: {error}")),
        }
    }
}

/// `; did you mean …?` where one of these is much like the word, or else nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    const ALIKE: f64 = 0.8;
    let rated = candidates.map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let best = rated.filter(|(likeness, _)| *likeness >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(String::new(), |(_, candidate)| format!("; did you mean {candidate}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_proposed() {
        let names = ["hello", "report", "resize-image"];
        for (word, hint) in
            [("helo", "; did you mean hello?"), ("resizeimage", "; did you mean resize-image?"), ("x", "")]
        {
            assert_eq!(did_you_mean(word, names.into_iter()), hint);
        }
    }
}
