//! A seat: the uids and the scratch folder that one execution at a time has to itself, and the janitor that
//! cleans them.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use badlambda_zygote::processes::any_process_of;
use badlambda_zygote::wire::{self, Chore, ChoreDone, Identity, User};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, socket};
use nix::sys::stat::fstat;

use super::task::ExecutorError;
use super::zygotes::{lock, spawn, wait_at_most};

/// Below 2^16, so that it exists in user namespaces of container engines too, and above what Debian gives to
/// people and services.
const FIRST_UID: u32 = 40_000;
/// Seats that may be passed over before the machine is taken to be in disorder.
const MOST_PASSED_OVER: usize = 4;
/// How long the processes of an execution may take to end once they are killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a janitor may take to answer: more than its longest chore.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// How long one of the two killers waits before it is the other's turn.
const TURN: Duration = Duration::from_millis(100);
const UIDS_PER_SEAT: u32 = 4;
const MOST_SEATS: u32 = 5_000;
/// More than a worker usually takes: for each of its slots one, and one for each template.
const SEATS_APART: u32 = 50;

/// What all seats of a worker have in common.
#[derive(Clone, Debug)]
pub(super) struct SeatPlan {
    /// The janitor's program.
    pub(super) janitor: PathBuf,
    /// The folder of all scratch folders.
    pub(super) scratch: PathBuf,
    /// The same as executions see it.
    pub(super) scratch_inside: PathBuf,
    /// Whether executions get uids of their own.
    pub(super) own_uids: bool,
}

/// A seat. Nobody else on this machine has the same one as long as it lives.
#[derive(Debug)]
pub(super) struct Seat {
    /// Its uids.
    pub(super) identity: Option<Identity>,
    /// The scratch folder.
    pub(super) scratch: OwnedFd,
    /// The scratch folder's path as executions see it.
    pub(super) scratch_path: String,
    folder: PathBuf,
    janitor: Mutex<Janitor>,
    /// What the janitor is to executions, this is to a template.
    reaper: Mutex<Option<Janitor>>,
    _claim: OwnedFd,
}

impl Seat {
    /// Takes a seat that nobody has, and cleans whatever a worker before may have left there. One that can't be cleaned,
    /// as where a killed worker's processes wait to be reaped, is passed over.
    pub(super) fn take(plan: &SeatPlan) -> Result<Self, ExecutorError> {
        let mut passed_over = vec![];
        loop {
            // The claims on those keep them from being found again.
            let seat = Self::claim(plan)?;
            let cleaned = seat.end_all().and_then(|()| seat.clean());
            match cleaned {
                Err(ExecutorError::NotCleaned) if passed_over.len() < MOST_PASSED_OVER => {
                    tracing::warn!(folder = %seat.folder.display(), "a seat can't be cleaned, and is passed over");
                    passed_over.push(seat);
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    if !passed_over.is_empty() {
                        std::thread::spawn(move || drop(passed_over));
                    }
                    return Ok(seat);
                }
            }
        }
    }

    fn claim(plan: &SeatPlan) -> Result<Self, ExecutorError> {
        let (number, claim) = claim_number()?;
        let uid = FIRST_UID + number * UIDS_PER_SEAT;
        let identity = plan.own_uids.then_some(Identity { execution: uid, template: uid + 1 });
        let folder = plan.scratch.join(format!("seat-{number}"));
        let scratch_folder = folder.join("scratch");
        // Only the seat's group may pass: what an execution opens up to everyone stays out of others' reach.
        make_folder(&folder, 0o710, identity.map(|identity| (0, identity.execution)))?;
        make_folder(
            &scratch_folder,
            0o700,
            identity.map(|identity| (identity.execution, identity.execution)),
        )?;
        let scratch: OwnedFd = File::open(&scratch_folder)?.into();
        let user = identity.map(|identity| User { uid: identity.execution, janitor: uid + 2 });
        let templates_user = identity.map(|identity| User { uid: identity.template, janitor: uid + 3 });
        let reaper = templates_user
            .map(|user| Janitor::start(&plan.janitor, Some(user), &[scratch.as_raw_fd()]))
            .transpose()?;
        Ok(Self {
            janitor: Mutex::new(Janitor::start(
                &plan.janitor,
                user,
                &[scratch.as_raw_fd(), claim.as_raw_fd()],
            )?),
            identity,
            scratch,
            scratch_path: plan.scratch_inside.join(format!("seat-{number}/scratch")).display().to_string(),
            folder,
            reaper: Mutex::new(reaper),
            _claim: claim,
        })
    }

    /// Ends every process of the execution.
    pub(super) fn end(&self) -> Result<(), ExecutorError> {
        self.end_within(PATIENCE)
    }

    /// The same, where who is to reap them may not.
    pub(super) fn end_within(&self, patience: Duration) -> Result<(), ExecutorError> {
        lock(&self.janitor).done(&end(patience))
    }

    /// Ends every process of the template and of its executions. Each of their threads has either the one real uid or the
    /// other, and while one lives it may still start the other; so the killers take turns.
    pub(super) fn end_all(&self) -> Result<(), ExecutorError> {
        let Some(identity) = self.identity else { return Ok(()) };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let templates = self.ask_reaper(|reaper| reaper.done(&end(TURN)));
            let executions = self.end_within(TURN);
            let quiet = !any_process_of(identity.template) && !any_process_of(identity.execution);
            if templates.is_ok() && executions.is_ok() && quiet {
                return Ok(());
            }
        }
        Err(ExecutorError::NotCleaned)
    }

    /// Does `look` while every process of the template's uid is stopped, and so none can be forked; then lets them go on, if
    /// it is told to.
    pub(super) fn look_while_stopped(&self, look: impl FnOnce() -> bool) -> Result<bool, ExecutorError> {
        self.ask_reaper(|reaper| {
            reaper.done(&Chore::Stop)?;
            let goes_on = look();
            if goes_on {
                reaper.tell(&Chore::Continue, &[])?;
            }
            Ok(goes_on)
        })
    }

    fn ask_reaper<T>(
        &self,
        ask: impl FnOnce(&mut Janitor) -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        lock(&self.reaper).as_mut().map_or(Err(ExecutorError::NotCleaned), ask)
    }

    /// The same seat where no template will ever be.
    pub(super) fn without_template(self) -> Self {
        drop(lock(&self.reaper).take());
        self
    }

    /// Ends every process of the execution, and empties the scratch folder. Mostly there is neither, which costs a look.
    pub(super) fn clean(&self) -> Result<(), ExecutorError> {
        let mut janitor = lock(&self.janitor);
        let left = self.identity.is_none_or(|identity| any_process_of(identity.execution));
        if !left && janitor.left_it == Some(Trace::of(&self.scratch)?) && self.is_empty()? {
            return Ok(());
        }
        janitor.done(&Chore::Clean)?;
        janitor.left_it = Some(Trace::of(&self.scratch)?);
        Ok(())
    }

    /// Whether the scratch folder is empty. No name in it is opened.
    fn is_empty(&self) -> Result<bool, ExecutorError> {
        let mut folder = Dir::from_fd(self.scratch.try_clone()?)?;
        // Two for itself and its parent.
        Ok(folder.iter().take(3).count() == 2)
    }

    /// What the execution's files hold, in bytes, those without a name among them. What is more than `most` is not counted
    /// to its end.
    pub(super) fn scratch_bytes(&self, most: u64) -> Result<u64, ExecutorError> {
        lock(&self.janitor).measured(&Chore::MeasureScratch { most })
    }

    /// What the execution's processes hold in memory, in bytes: pages that several share count once.
    pub(super) fn memory_bytes(&self) -> Result<u64, ExecutorError> {
        lock(&self.janitor).measured(&Chore::MeasureMemory)
    }
}

fn end(patience: Duration) -> Chore {
    Chore::End { patience_ms: patience.as_millis() as u64 }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let has_reaper = lock(&self.reaper).is_some();
        if has_reaper && let Err(error) = self.end_all() {
            tracing::warn!(%error, folder = %self.folder.display(), "could not end a template");
        }
        // The janitor cleans a last time before it ends.
        lock(&self.janitor).end();
        // A folder that is not empty is left to whoever takes this seat next.
        let _ = fs::remove_dir(self.folder.join("scratch"));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// What changes when anything is done to a folder. Its times are coarse, so a look into it goes with this.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Trace {
    fn of(folder: &OwnedFd) -> Result<Self, Errno> {
        let found = fstat(folder)?;
        let modified = (found.st_mtime, found.st_mtime_nsec);
        let changed = (found.st_ctime, found.st_ctime_nsec);
        Ok(Self { mode: found.st_mode, modified, changed })
    }
}

#[derive(Debug)]
struct Janitor {
    process: Child,
    /// The scratch folder as it was left.
    left_it: Option<Trace>,
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl Janitor {
    /// With the claim, it holds the seat until it has cleaned it, even if the worker is gone before.
    fn start(program: &Path, user: Option<User>, scratch_and_claim: &[RawFd]) -> Result<Self, ExecutorError> {
        let (socket, process) = spawn(program, &[])?;
        wait_at_most(&socket, ANSWER_PATIENCE)?;
        let mut janitor = Self { process, left_it: None, socket: Some(socket), buffer: Vec::new() };
        janitor.ask_with(&Chore::Begin { user }, scratch_and_claim)?;
        Ok(janitor)
    }

    fn done(&mut self, chore: &Chore) -> Result<(), ExecutorError> {
        match self.ask(chore)? {
            ChoreDone::Done => Ok(()),
            _ => Err(ExecutorError::NotCleaned),
        }
    }

    fn measured(&mut self, chore: &Chore) -> Result<u64, ExecutorError> {
        match self.ask(chore)? {
            ChoreDone::Measured(bytes) => Ok(bytes),
            _ => Err(ExecutorError::NotCleaned),
        }
    }

    fn ask(&mut self, chore: &Chore) -> Result<ChoreDone, ExecutorError> {
        self.ask_with(chore, &[])
    }

    fn tell(&self, chore: &Chore, fds: &[RawFd]) -> Result<(), ExecutorError> {
        let socket = self.socket.as_ref().ok_or(ExecutorError::NotCleaned)?;
        Ok(wire::send(socket.as_fd(), chore, fds)?)
    }

    fn ask_with(&mut self, chore: &Chore, fds: &[RawFd]) -> Result<ChoreDone, ExecutorError> {
        self.tell(chore, fds)?;
        let socket = self.socket.as_ref().ok_or(ExecutorError::NotCleaned)?;
        let answer = wire::receive(socket.as_fd(), &mut self.buffer);
        if answer.is_err() {
            // What it answers later would be taken for the answer to something else.
            self.socket = None;
        }
        answer?.map(|(done, _)| done).ok_or(ExecutorError::NotCleaned)
    }

    fn end(&mut self) {
        drop(self.socket.take());
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "could not wait for a janitor");
        }
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        self.end();
    }
}

/// The next number that no living worker on this machine holds. The claim is an abstract socket's name, which
/// the kernel frees with its holder, however that ends.
fn claim_number() -> Result<(u32, OwnedFd), ExecutorError> {
    let first = first_number();
    for number in (first..MOST_SEATS).chain(0..first) {
        let claim = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        let name = UnixAddr::new_abstract(format!("badlambda-seat-{number}").as_bytes())?;
        if bind(claim.as_raw_fd(), &name).is_ok() {
            return Ok((number, claim));
        }
    }
    Err(ExecutorError::System(io::Error::other("all seats of this machine are taken")))
}

/// Containers do not see each other's claims, but the machine counts their processes by uid together, and a worker
/// on the machine itself reaches theirs with its signals. So each pid namespace begins elsewhere.
fn first_number() -> u32 {
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino());
    (namespace % u64::from(MOST_SEATS / SEATS_APART)) as u32 * SEATS_APART
}

/// Makes the folder of all scratch folders, or checks that the one that is there is ours alone to write.
pub(super) fn make_scratch_root(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != nix::unistd::geteuid().as_raw() {
        let reason =
            format!("{} is not a folder of this user; set BADLAMBDA_SCRATCH_DIR to another", path.display());
        return Err(io::Error::other(reason));
    }
    fs::set_permissions(path, Permissions::from_mode(0o711))
}

fn make_folder(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // The folder above is ours alone to write, so this name means what was made.
    if let Some((uid, gid)) = owner {
        chown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
