//! Which saves there are. Editors write a file in place, empty it first, or put another in its place; and some do so twice.
//! So the folder is watched, and a save has ended when nothing more happens to the file for a moment. Of a function that is a
//! folder, each file in it is such a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind, RenameMode};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::code::is_packed;
use crate::output::Failure;

/// How long a save is over before it counts: longer than an editor takes between the two halves of one.
const SETTLED: Duration = Duration::from_millis(40);
/// The same where it was seen to begin and not to end.
const UNDER_WAY: Duration = Duration::from_millis(400);

/// Why a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is the first.
    Start,
    /// The code was saved.
    Code,
    /// The input was saved, and the code was not.
    Input,
}

/// A save, or the beginning.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// What was saved.
    pub cause: Cause,
    /// When.
    pub at: Instant,
}

/// Watches a file or folder with code, and perhaps a file with an input.
pub struct Watch {
    events: mpsc::UnboundedReceiver<notify::Result<Event>>,
    files: HashMap<PathBuf, Cause>,
    /// The code, where it is a folder.
    folder: Option<PathBuf>,
    /// It watches for as long as it lives.
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Begins to watch.
    pub fn start(code: &Path, input: Option<&Path>) -> Result<Self, Failure> {
        let refused = |error: notify::Error| {
            Failure::Ours(format!("can't watch {}: {error}; see fs.inotify in sysctl", code.display()))
        };
        let (sender, events) = mpsc::unbounded_channel();
        // Whoever listened is gone at the end.
        let notify = move |event| drop(sender.send(event));
        // A link may lead to a folder with very much in it.
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(notify, config).map_err(refused)?;
        let mut files = HashMap::new();
        // What happens is told with absolute paths.
        let folder = if code.is_dir() { std::path::absolute(code).ok() } else { None };
        let inputs = input.into_iter().flat_map(places).map(|place| (place, Cause::Input));
        let code_files = Some(code).filter(|_| folder.is_none()).into_iter().flat_map(places);
        // Where both are the same file, it is the code.
        for ((folder, name), cause) in inputs.chain(code_files.map(|place| (place, Cause::Code))) {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(refused)?;
            files.insert(folder.join(name), cause);
        }
        if let Some(folder) = &folder {
            watcher.watch(folder, RecursiveMode::Recursive).map_err(refused)?;
        }
        Ok(Self { events, files, folder, _watcher: watcher })
    }

    /// Waits for the next save, and for its end.
    pub async fn next_change(&mut self) -> Result<Change, Failure> {
        let mut change: Option<(Change, tokio::time::Instant)> = None;
        loop {
            let event = match change {
                None => self.events.recv().await,
                Some((change, deadline)) => match timeout_at(deadline, self.events.recv()).await {
                    Ok(event) => event,
                    Err(_) => return Ok(change),
                },
            };
            let event = event.ok_or_else(|| Failure::Ours("the file is watched no longer".to_owned()))?;
            let event = event.map_err(|error| Failure::Ours(format!("can't watch the file: {error}")))?;
            let Some((cause, wait)) = self.meaning(&event) else { continue };
            let is_code = change.is_some_and(|(change, _)| change.cause == Cause::Code);
            let cause = if is_code { Cause::Code } else { cause };
            let at = Instant::now();
            change = Some((Change { cause, at }, (at + wait).into()));
        }
    }

    /// What was saved, if anything was, and for how long nothing more must happen.
    fn meaning(&self, event: &Event) -> Option<(Cause, Duration)> {
        if event.need_rescan() {
            return Some((Cause::Code, SETTLED));
        }
        let causes = event.paths.iter().filter_map(|path| match self.is_in_folder(path) {
            true => Some(Cause::Code),
            false => self.files.get(path).copied(),
        });
        let cause = causes.reduce(|a, b| if a == Cause::Code { a } else { b })?;
        Some((cause, wait_after(&event.kind)?))
    }

    /// Whether it is part of the code that is a folder. An editor's backup is not told of: it goes when the save is over.
    fn is_in_folder(&self, path: &Path) -> bool {
        let inside = self.folder.as_ref().and_then(|folder| path.strip_prefix(folder).ok());
        inside.is_some_and(|path| is_packed(path) && !path.as_os_str().as_encoded_bytes().ends_with(b"~"))
    }
}

/// For how long nothing more must happen after an event; `None` where it changes no content.
fn wait_after(kind: &EventKind) -> Option<Duration> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(SETTLED),
        // Another file came to its place, whole.
        EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => Some(SETTLED),
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => None,
        _ => Some(UNDER_WAY),
    }
}

/// The folders where the file, and what it may be a link to, has which name.
fn places(file: &Path) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((folder.to_owned(), PathBuf::from(path.file_name()?)))
    };
    [place(file), file.canonicalize().ok().and_then(|real| place(&real))].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Saves in some way, with a second file beside it, and waits for what is told of it.
    async fn saved(save: impl FnOnce(&Path, &Path)) -> Cause {
        let folder = tempfile::tempdir().unwrap();
        let (code, other) = (folder.path().join("a.rb"), folder.path().join("b"));
        fs::write(&code, "1").unwrap();
        let mut watch = Watch::start(&code, Some(&folder.path().join("input.json"))).unwrap();
        save(&code, &other);
        let change = watch.next_change().await.unwrap();
        // Nothing is left that would be told once more.
        while let Ok(event) = watch.events.try_recv() {
            assert_eq!(watch.meaning(&event.unwrap()), None);
        }
        change.cause
    }

    #[tokio::test]
    async fn each_way_to_save_is_one_change() {
        let ways: [fn(&Path, &Path); 4] = [
            |code, _| fs::write(code, "2").unwrap(),
            |code, other| {
                fs::write(other, "2").unwrap();
                fs::rename(other, code).unwrap();
            },
            |code, other| {
                fs::rename(code, other).unwrap();
                fs::write(code, "2").unwrap();
            },
            |code, _| {
                fs::write(code, "").unwrap();
                fs::write(code, "2").unwrap();
            },
        ];
        for save in ways {
            assert_eq!(saved(save).await, Cause::Code);
        }
    }

    #[tokio::test]
    async fn an_input_is_told_from_code_and_others_are_not_told() {
        let cause = saved(|_, other| {
            fs::write(other, "2").unwrap();
            fs::write(other.with_file_name("input.json"), "{}").unwrap();
        })
        .await;
        assert_eq!(cause, Cause::Input);
    }

    #[tokio::test]
    async fn each_file_of_a_folder_is_code_but_for_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("app/lib/deep")).unwrap();
        fs::create_dir(path("app/.git")).unwrap();
        let mut watch = Watch::start(&path("app"), Some(&path("in.json"))).unwrap();
        for name in ["app/.git/index", "app/badlambda.toml", "app/lib/.a.rb.swp", "app/lib/a.rb~", "b.rb"] {
            fs::write(path(name), "").unwrap();
        }
        fs::write(path("in.json"), "1").unwrap();
        assert_eq!(watch.next_change().await.unwrap().cause, Cause::Input);
        fs::write(path("app/lib/deep/a.rb"), "1").unwrap();
        assert_eq!(watch.next_change().await.unwrap().cause, Cause::Code);
        fs::create_dir(path("app/new")).unwrap();
        assert_eq!(watch.next_change().await.unwrap().cause, Cause::Code);
        fs::write(path("app/new/a.rb"), "1").unwrap();
        assert_eq!(watch.next_change().await.unwrap().cause, Cause::Code);
    }

    #[test]
    fn what_has_not_ended_is_waited_for() {
        use notify::event::{CreateKind, DataChange, MetadataKind};
        for (kind, wait) in [
            (EventKind::Create(CreateKind::File), Some(UNDER_WAY)),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(UNDER_WAY)),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(SETTLED)),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), None),
        ] {
            assert_eq!(wait_after(&kind), wait, "{kind:?}");
        }
    }
}
