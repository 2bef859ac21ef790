//! The flags of a connection before the command, as in `badlambda --url URL functions list`. They are global, so that clap
//! hands them to whichever command takes them; it shows them in its own help, and the others need not.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use crate::connection::ConnectionArguments;
use crate::output::Failure;

/// Which API is asked, where that stands before the command.
#[derive(Debug, Default)]
pub struct LeadingConnectionArguments(ConnectionArguments);

impl LeadingConnectionArguments {
    /// Rejects them where `command` asks no API.
    pub fn reject(&self, command: &str) -> Result<(), Failure> {
        let ConnectionArguments { url, token, profile } = &self.0;
        if url.is_none() && token.is_none() && profile.is_none() {
            return Ok(());
        }
        Err(Failure::Usage(format!("{command} asks no API: leave --url, --token and --profile out")))
    }
}

impl Args for LeadingConnectionArguments {
    fn augment_args(command: Command) -> Command {
        let flags = ConnectionArguments::augment_args(Command::new("flags"));
        command.args(flags.get_arguments().map(|flag| flag.clone().hide(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LeadingConnectionArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        ConnectionArguments::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::arguments::Arguments;

    #[test]
    fn they_may_stand_before_a_command_that_asks_an_api() {
        for line in [
            &["--url", "http://u", "--token", "t", "functions", "list"][..],
            &["--url", "http://u", "functions", "--token", "t", "list"],
            &["--token", "t", "functions", "list", "--url", "http://u"],
            &["--url", "http://u", "--token", "t", "logs", "x"],
        ] {
            let arguments = Arguments::try_parse_from([&["badlambda"], line].concat()).unwrap();
            let given = format!("{:?}", arguments.command);
            let connection =
                r#"ConnectionArguments { url: Some("http://u"), token: Some("t"), profile: None }"#;
            assert!(given.contains(connection), "{line:?}: {given}");
        }
        for line in
            [&["--url", "u", "run", "f.rb"][..], &["run", "f.rb", "--token", "t"], &["--profile", "p", "up"]]
        {
            let arguments = Arguments::try_parse_from([&["badlambda"], line].concat()).unwrap();
            assert!(arguments.connection.reject("it").is_err(), "{line:?}");
        }
        let both = ["badlambda", "--url", "u", "--profile", "p", "stats"];
        assert!(Arguments::try_parse_from(both).is_err());
    }
}
