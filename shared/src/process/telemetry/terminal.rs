//! Log lines for a person at a terminal: when, what happened, and its fields. Which module says it, and in which spans, is
//! told of what is wrong alone.

use std::fmt;

use time::OffsetDateTime;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The format of these lines.
pub(super) struct ShortLines;

impl<S, N> FormatEvent<S, N> for ShortLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let (hour, minute, second) = OffsetDateTime::now_utc().to_hms();
        colored(&mut writer, DIM, format_args!("{hour:02}:{minute:02}:{second:02}"))?;
        match level {
            Level::ERROR => colored(&mut writer, RED, format_args!(" error:"))?,
            Level::WARN => colored(&mut writer, YELLOW, format_args!(" warning:"))?,
            _ => {}
        }
        writer.write_char(' ')?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        if level <= Level::WARN {
            for span in context.event_scope().into_iter().flatten() {
                if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                    write!(writer, " {fields}")?;
                }
            }
        }
        writeln!(writer)
    }
}

fn colored(writer: &mut Writer<'_>, color: &str, text: fmt::Arguments<'_>) -> fmt::Result {
    if writer.has_ansi_escapes() { write!(writer, "{color}{text}{PLAIN}") } else { writer.write_fmt(text) }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_tells_its_fields_and_a_warning_its_spans() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(ShortLines)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let _span = tracing::info_span!("message", execution = "e1").entered();
            tracing::info!(status = "succeeded", "execution finished");
            tracing::warn!("it is late");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let without_time: Vec<&str> = text.lines().map(|line| &line["00:00:00".len()..]).collect();
        let expected = [" execution finished status=\"succeeded\"", " warning: it is late execution=\"e1\""];
        assert_eq!(without_time, expected);
    }
}
