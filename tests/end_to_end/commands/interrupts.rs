//! Ctrl-C at any moment.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::fixtures::terminal::Terminal;

/// When somebody presses Ctrl-C.
#[derive(Clone, Debug)]
enum Moment {
    /// This long after the start.
    After(Duration),
    /// When this is shown.
    Shown(&'static str),
    /// When the function runs.
    Running,
}

#[test]
fn an_interrupt_at_any_moment_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("f.rb"), "File.write('begun', ''); sleep").unwrap();
    let others = [Moment::Shown("starting"), Moment::Shown("running"), Moment::Running];
    for (command, others) in [
        (["run", "f.rb"], &others[..]),
        (["dev", "f.rb"], &[Moment::Shown("starting"), Moment::Running]),
        // In the end it reads the terminal.
        (["mcp", "--local"], &[Moment::Shown("starting"), Moment::After(Duration::from_secs(1))]),
    ] {
        let after = (0..10).map(|step| Moment::After(Duration::from_millis(step * 30)));
        for moment in after.chain(others.iter().cloned()) {
            interrupt_at(&moment, folder.path(), &command);
        }
    }
}

fn interrupt_at(moment: &Moment, folder: &Path, command: &[&str]) {
    let (mut terminal, mut remains) = Terminal::start_watched(folder, command, 100);
    match moment {
        Moment::After(time) => std::thread::sleep(*time),
        Moment::Shown(text) => terminal.wait_for(text),
        Moment::Running => {
            remains.wait_until_begun();
            remains.note_processes(terminal.pid());
        }
    }
    terminal.interrupt();
    let shown = terminal.end();
    assert_eq!(shown.status, 130, "{command:?}, {moment:?}: {shown:?}");
    remains.assert_none();
}
