//! A sandbox: the uids and the scratch folder that one execution at a time has to itself, and the cleaners that kill
//! and empty for it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use badlambda_zygote::processes::any_process_of;
use badlambda_zygote::protocol::{CleanerRequest, Identity, User};
use nix::dir::Dir;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, socket};

use super::cleaner::{Cleaner, FolderState};
use super::task::ExecutorError;
use super::zygotes::lock;

/// Below 2^16, so that the uids also exist in the user namespaces of container engines, and far above the numbers
/// that Debian gives to people and services first.
const FIRST_UID: u32 = 40_000;
/// How many sandboxes that can't be cleaned the worker passes over. If there are more, it takes the machine to be in
/// disorder.
const MOST_PASSED_OVER: usize = 4;
/// How long the processes of an execution may take to end once they are killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one of the two cleaners tries to kill before it is the other's turn.
const TURN: Duration = Duration::from_millis(100);
const UIDS_PER_SANDBOX: u32 = 4;
const MOST_SANDBOXES: u32 = 5_000;
/// How far apart the numbers are at which workers begin to look for a free one. A worker seldom takes more sandboxes
/// than this: one for each of its slots, and one for each template.
const SANDBOXES_APART: u32 = 50;

/// What all sandboxes of a worker have in common.
#[derive(Clone, Debug)]
pub(super) struct SandboxPlan {
    /// The path of the cleaner's program.
    pub(super) cleaner: PathBuf,
    /// The folder that holds all scratch folders.
    pub(super) scratch: PathBuf,
    /// The path of that folder as executions see it.
    pub(super) scratch_inside: PathBuf,
    /// Whether executions get uids of their own.
    pub(super) own_uids: bool,
    /// Claims on numbers whose uids a worker in another container uses. They are held so that these numbers are not
    /// tried again.
    pub(super) taken_elsewhere: Arc<Mutex<Vec<Arc<OwnedFd>>>>,
}

/// A sandbox. As long as this value exists, nobody else on this machine has the same sandbox.
#[derive(Debug)]
pub(super) struct Sandbox {
    /// `None` where executions have no uids of their own.
    pub(super) identity: Option<Identity>,
    pub(super) scratch: OwnedFd,
    /// The scratch folder's path as executions see it.
    pub(super) scratch_path: String,
    folder: PathBuf,
    cleaner: Mutex<Cleaner>,
    /// Kills the template's processes. `None` where the sandbox has no template's uid, or no template will ever be in
    /// it.
    template_cleaner: Mutex<Option<Cleaner>>,
    _claim: Arc<OwnedFd>,
}

impl Sandbox {
    /// Takes a sandbox that nobody has, and cleans what an earlier worker may have left there. Passes over a sandbox
    /// that can't be cleaned, for example because the processes of a killed worker still wait to be reaped.
    pub(super) fn take(plan: &SandboxPlan) -> Result<Self, ExecutorError> {
        let mut passed_over = vec![];
        loop {
            // The sandboxes that were passed over keep their claims, so `claim` does not find them again.
            let sandbox = Self::claim(plan)?;
            let cleaned = sandbox.end_all().and_then(|()| sandbox.clean());
            match cleaned {
                Err(ExecutorError::NotCleaned) if passed_over.len() < MOST_PASSED_OVER => {
                    tracing::warn!(folder = %sandbox.folder.display(), "a sandbox can't be cleaned, and is passed over");
                    passed_over.push(sandbox);
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    if !passed_over.is_empty() {
                        std::thread::spawn(move || drop(passed_over));
                    }
                    return Ok(sandbox);
                }
            }
        }
    }

    fn claim(plan: &SandboxPlan) -> Result<Self, ExecutorError> {
        loop {
            let (number, claim) = claim_number()?;
            let claim = Arc::new(claim);
            match Self::with_number(plan, number, Arc::clone(&claim))? {
                Some(sandbox) => return Ok(sandbox),
                // The claim is held, so that this number is not tried again.
                None => lock(&plan.taken_elsewhere).push(claim),
            }
        }
    }

    fn with_number(
        plan: &SandboxPlan,
        number: u32,
        claim: Arc<OwnedFd>,
    ) -> Result<Option<Self>, ExecutorError> {
        let uid = FIRST_UID + number * UIDS_PER_SANDBOX;
        let identity = plan.own_uids.then_some(Identity { execution: uid, template: uid + 1 });
        let folder = plan.scratch.join(format!("sandbox-{number}"));
        let scratch_folder = folder.join("scratch");
        // Only the sandbox's group may enter this folder. So other executions can't reach a file that an execution
        // has opened up to everyone.
        make_folder(&folder, 0o710, identity.map(|identity| (0, identity.execution)))?;
        make_folder(
            &scratch_folder,
            0o700,
            identity.map(|identity| (identity.execution, identity.execution)),
        )?;
        let scratch: OwnedFd = File::open(&scratch_folder)?.into();
        let user = identity.map(|identity| User { uid: identity.execution, cleaner: uid + 2 });
        let held = [scratch.as_raw_fd(), claim.as_raw_fd()];
        let Some(cleaner) = Cleaner::start(&plan.cleaner, user, &held)? else { return Ok(None) };
        let mut template_cleaner = None;
        if let Some(identity) = identity {
            let user = User { uid: identity.template, cleaner: uid + 3 };
            match Cleaner::start(&plan.cleaner, Some(user), &held[..1])? {
                Some(started) => template_cleaner = Some(started),
                None => return Ok(None),
            }
        }
        Ok(Some(Self {
            cleaner: Mutex::new(cleaner),
            identity,
            scratch,
            scratch_path: plan.scratch_inside.join(format!("sandbox-{number}/scratch")).display().to_string(),
            folder,
            template_cleaner: Mutex::new(template_cleaner),
            _claim: claim,
        }))
    }

    /// Ends every process of the execution.
    pub(super) fn end(&self) -> Result<(), ExecutorError> {
        self.end_within(PATIENCE)
    }

    /// Ends every process of the execution. Gives up after `patience`, since the process that should reap them may
    /// fail to do so.
    pub(super) fn end_within(&self, patience: Duration) -> Result<(), ExecutorError> {
        lock(&self.cleaner).done(&end(patience))
    }

    /// Ends every process of the template and of its executions. Each of their threads has one of the two real uids,
    /// and as long as one thread lives, it may still start one with the other uid. So the two cleaners take turns.
    pub(super) fn end_all(&self) -> Result<(), ExecutorError> {
        let Some(identity) = self.identity else { return Ok(()) };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let templates = self.ask_template_cleaner(|cleaner| cleaner.done(&end(TURN)));
            let executions = self.end_within(TURN);
            let quiet = !any_process_of(identity.template) && !any_process_of(identity.execution);
            if templates.is_ok() && executions.is_ok() && quiet {
                return Ok(());
            }
        }
        Err(ExecutorError::NotCleaned)
    }

    /// Calls `look` while every process of the template's uid is stopped, so that none can fork. If `look` returns
    /// true, lets the processes go on.
    pub(super) fn look_while_stopped(&self, look: impl FnOnce() -> bool) -> Result<bool, ExecutorError> {
        self.ask_template_cleaner(|cleaner| cleaner.done(&CleanerRequest::Stop))?;
        let goes_on = look();
        if goes_on {
            self.ask_template_cleaner(|cleaner| cleaner.done(&CleanerRequest::Continue))?;
            // A process may have become an execution after the template's cleaner sent the signal and before the
            // signal stopped it. Only the execution's cleaner can let it go on.
            lock(&self.cleaner).done(&CleanerRequest::Continue)?;
        }
        Ok(goes_on)
    }

    fn ask_template_cleaner<T>(
        &self,
        ask: impl FnOnce(&mut Cleaner) -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        lock(&self.template_cleaner).as_mut().map_or(Err(ExecutorError::NotCleaned), ask)
    }

    /// Ends the template's cleaner, because no template will ever be in this sandbox.
    pub(super) fn without_template(self) -> Self {
        drop(lock(&self.template_cleaner).take());
        self
    }

    /// Ends every process of the execution, and empties the scratch folder. Mostly nothing is left of either. Then
    /// the worker only looks, and does not ask the cleaner.
    pub(super) fn clean(&self) -> Result<(), ExecutorError> {
        let mut cleaner = lock(&self.cleaner);
        let left = self.identity.is_none_or(|identity| any_process_of(identity.execution));
        if !left && cleaner.left_as == Some(FolderState::of(&self.scratch)?) && self.is_empty()? {
            return Ok(());
        }
        cleaner.done(&CleanerRequest::Clean)?;
        cleaner.left_as = Some(FolderState::of(&self.scratch)?);
        Ok(())
    }

    /// Whether the scratch folder is empty. This opens nothing in it by name.
    fn is_empty(&self) -> Result<bool, ExecutorError> {
        let mut folder = Dir::from_fd(self.scratch.try_clone()?)?;
        // An empty folder has the two entries `.` and `..`.
        Ok(folder.iter().take(3).count() == 2)
    }

    /// What the execution's files hold, in bytes, including files that no longer have a name. The count may stop once
    /// it is above `most`.
    pub(super) fn scratch_bytes(&self, most: u64) -> Result<u64, ExecutorError> {
        lock(&self.cleaner).measured(&CleanerRequest::MeasureScratch { most })
    }

    /// What the execution's processes hold in memory, in bytes. Pages that several processes share count once.
    pub(super) fn memory_bytes(&self) -> Result<u64, ExecutorError> {
        lock(&self.cleaner).measured(&CleanerRequest::MeasureMemory)
    }
}

fn end(patience: Duration) -> CleanerRequest {
    CleanerRequest::End { patience_ms: patience.as_millis() as u64 }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let has_template_cleaner = lock(&self.template_cleaner).is_some();
        if has_template_cleaner && let Err(error) = self.end_all() {
            tracing::warn!(%error, folder = %self.folder.display(), "could not end a template");
        }
        // The cleaner cleans a last time before it ends.
        lock(&self.cleaner).end();
        // A folder that is not empty stays. Whoever takes this sandbox next cleans it.
        let _ = fs::remove_dir(self.folder.join("scratch"));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Claims the next number that no living worker in this network namespace holds. The claim is the name of an abstract
/// socket, which the kernel frees when the last process that holds the socket ends, however that happens.
fn claim_number() -> Result<(u32, OwnedFd), ExecutorError> {
    let first = first_number();
    for number in (first..MOST_SANDBOXES).chain(0..first) {
        let claim = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        let name = UnixAddr::new_abstract(format!("badlambda-sandbox-{number}").as_bytes())?;
        if bind(claim.as_raw_fd(), &name).is_ok() {
            return Ok((number, claim));
        }
    }
    Err(ExecutorError::System(io::Error::other("all sandboxes of this machine are taken")))
}

/// The number at which this worker begins to look for a free one. Containers do not see each other's claims. But the
/// kernel counts the processes of a uid over all containers, and a cleaner that runs on the machine itself can signal
/// processes in its containers. Each cleaner therefore checks that its uids are not in use elsewhere. To make a
/// conflict rare, the first number depends on the pid namespace.
fn first_number() -> u32 {
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino());
    (namespace % u64::from(MOST_SANDBOXES / SANDBOXES_APART)) as u32 * SANDBOXES_APART
}

/// Makes a folder that holds what executions may reach: all scratch folders, or all packages. If it is there already, checks
/// that it is ours. Either way, only this user may then write to it, and nobody else may list it. `setting` names the
/// variable that sets it.
pub(super) fn make_root(path: &Path, setting: &str) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != nix::unistd::geteuid().as_raw() {
        let reason = format!("{} is not a folder of this user; set {setting} to another", path.display());
        return Err(io::Error::other(reason));
    }
    fs::set_permissions(path, Permissions::from_mode(0o711))
}

fn make_folder(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Only this user can write to the folder above, so the name still means the folder that was made.
    if let Some((uid, gid)) = owner {
        chown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
