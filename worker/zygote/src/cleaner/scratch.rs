//! Empties and measures a folder that hostile code filled. Every access is relative to a descriptor and follows no
//! link. Whatever the tree's shape, the number of open descriptors is bounded, and the work stops at a deadline.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::libc;
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, SFlag, fchmod, fchmodat, fstatat};
use nix::sys::time::TimeSpec;
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Deeper than any honest tree. Measuring gives up at this depth, and reports more than any limit.
const MAX_MEASURED_DEPTH: usize = 64;
/// What each file or folder counts in addition to its contents, so that many empty ones count, too.
const ENTRY_BYTES: u64 = 1024;

/// Removes everything in `folder`, and makes it as it was when new. False if that failed.
pub fn empty(folder: &OwnedFd, deadline: Instant) -> bool {
    // An execution may have taken away the folder's permissions, even from us, who own it.
    if fchmod(folder, Mode::S_IRWXU).is_err() {
        return false;
    }
    let mut hoisted = 0;
    let removed = loop {
        match remove_entries(folder, folder, &mut hoisted, deadline) {
            Ok(0) => break true,
            Ok(_) => {}
            Err(_) => break false,
        }
    };
    removed && reset(folder).is_ok()
}

fn reset(folder: &OwnedFd) -> Result<(), Errno> {
    fchmod(folder, Mode::S_IRWXU)?;
    let now = TimeSpec::UTIME_NOW;
    nix::sys::stat::futimens(folder, &now, &now)
}

/// Removes the entries of `folder`. Of each folder in `top`, it removes the files, moves the folders up into `top`,
/// and then removes that folder, so that no tree is too deep. Returns how many entries `folder` had.
fn remove_entries(
    top: &OwnedFd,
    folder: &OwnedFd,
    hoisted: &mut u64,
    deadline: Instant,
) -> Result<u64, Errno> {
    let mut seen = 0;
    for name in names(folder)? {
        if Instant::now() > deadline {
            return Err(Errno::ETIMEDOUT);
        }
        seen += 1;
        let name = name.as_c_str();
        match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => continue,
            Err(Errno::EISDIR | Errno::EPERM | Errno::EACCES) => {}
            Err(errno) => return Err(errno),
        }
        // It is a folder, and no process is left that could put something else in its place.
        fchmodat(folder, name, Mode::S_IRWXU, FchmodatFlags::FollowSymlink)?;
        if std::ptr::eq(top, folder) {
            let inner = open_folder(folder, name)?;
            remove_entries(top, &inner, hoisted, deadline)?;
            unlinkat(folder, name, UnlinkatFlags::RemoveDir)?;
        } else {
            hoist(top, folder, name, hoisted)?;
        }
    }
    Ok(seen)
}

fn hoist(top: &OwnedFd, folder: &OwnedFd, name: &CStr, hoisted: &mut u64) -> Result<(), Errno> {
    loop {
        *hoisted += 1;
        let new_name = CString::new(format!(".hoisted-{hoisted}")).map_err(|_| Errno::EINVAL)?;
        match renameat(folder, name, top, new_name.as_c_str()) {
            Err(Errno::EEXIST | Errno::ENOTEMPTY | Errno::ENOTDIR) => {}
            done => return done,
        }
    }
}

/// What the folder holds, in bytes. It is `u64::MAX` if the tree is nested absurdly deep or something in it is
/// locked, so that nothing can be hidden that way. Counting stops above `most`, because a tree that is moved about
/// meanwhile may have no end. `None` if the deadline passes first.
pub fn measure(folder: &OwnedFd, most: u64, deadline: Instant) -> Option<u64> {
    let mut measure = Measure { bytes: 0, most, deadline };
    match measure.add(folder, MAX_MEASURED_DEPTH) {
        Err(Stop::Late) => None,
        Err(Stop::Enough) | Ok(()) => Some(measure.bytes),
    }
}

struct Measure {
    bytes: u64,
    most: u64,
    deadline: Instant,
}

/// Why measuring stops before the end.
enum Stop {
    Enough,
    Late,
}

impl Measure {
    fn add(&mut self, folder: &OwnedFd, depth: usize) -> Result<(), Stop> {
        let Some(depth) = depth.checked_sub(1) else { return self.count(u64::MAX) };
        let mut dir = match open_folder(folder, c".").and_then(Dir::from_fd) {
            Ok(dir) => dir,
            Err(errno) => return self.count(of_unseen(errno)),
        };
        for entry in dir.iter() {
            let Ok(entry) = entry else { return self.count(u64::MAX) };
            let name = entry.file_name();
            if ![c".", c".."].contains(&name) {
                self.add_entry(folder, name, depth)?;
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, folder: &OwnedFd, name: &CStr, depth: usize) -> Result<(), Stop> {
        match fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(entry) => {
                self.count(ENTRY_BYTES + entry.st_blocks.max(0) as u64 * 512)?;
                if is_folder(&entry) {
                    match open_folder(folder, name) {
                        Ok(inner) => self.add(&inner, depth)?,
                        Err(errno) => self.count(of_unseen(errno))?,
                    }
                }
                Ok(())
            }
            Err(errno) => self.count(of_unseen(errno)),
        }
    }

    fn count(&mut self, bytes: u64) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.most {
            return Err(Stop::Enough);
        }
        if Instant::now() > self.deadline { Err(Stop::Late) } else { Ok(()) }
    }
}

/// What an entry that can't be read counts: nothing if it is gone meanwhile, else more than any limit.
fn of_unseen(errno: Errno) -> u64 {
    if [Errno::ENOENT, Errno::ENOTDIR].contains(&errno) { 0 } else { u64::MAX }
}

fn is_folder(entry: &FileStat) -> bool {
    entry.st_mode & libc::S_IFMT == SFlag::S_IFDIR.bits()
}

fn open_folder(parent: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The names in a folder, without `.` and `..`.
fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    // This is a new open file description, so that reading starts at the beginning.
    let mut dir = Dir::from_fd(open_folder(folder, c".")?)?;
    let entries = dir.iter().map(|entry| entry.map(|entry| entry.file_name().to_owned()));
    let names = entries.collect::<Result<Vec<_>, _>>()?;
    Ok(names.into_iter().filter(|name| ![c".", c".."].contains(&name.as_c_str())).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    fn with_folder(test: impl FnOnce(&Path, &OwnedFd)) {
        let path = std::env::temp_dir().join(format!(
            "cleaner-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        fs::create_dir(&path).unwrap();
        let folder = fs::File::open(&path).unwrap().into();
        test(&path, &folder);
        fs::remove_dir(&path).unwrap();
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_deep_tree_with_locked_folders_and_links_goes_and_what_links_point_at_stays() {
        with_folder(|path, folder| {
            let kept = path.with_extension("kept");
            fs::write(&kept, "kept").unwrap();
            symlink(&kept, path.join("link")).unwrap();
            symlink("/", path.join("root")).unwrap();
            fs::create_dir_all(path.join("a/".repeat(300))).unwrap();
            fs::create_dir_all(path.join(".hoisted-1/x")).unwrap();
            fs::write(path.join("a/file"), "x").unwrap();
            fs::set_permissions(path.join("a/a"), fs::Permissions::from_mode(0o000)).unwrap();
            assert!(empty(folder, soon()));
            assert_eq!(fs::read_dir(path).unwrap().count(), 0);
            assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
            fs::remove_file(&kept).unwrap();
        });
    }

    #[test]
    fn many_files_and_nested_ones_are_measured() {
        with_folder(|path, folder| {
            fs::create_dir(path.join("inner")).unwrap();
            fs::write(path.join("inner/file"), vec![1; 100_000]).unwrap();
            let bytes = measure(folder, 1 << 30, soon()).unwrap();
            assert!((100_000..140_000).contains(&bytes), "{bytes}");
            assert!((10..bytes).contains(&measure(folder, 10, soon()).unwrap()));
            assert_eq!(measure(folder, 1 << 30, Instant::now() - Duration::from_secs(1)), None);
            fs::create_dir_all(path.join("d/".repeat(100))).unwrap();
            assert_eq!(measure(folder, 1 << 30, soon()), Some(u64::MAX));
            assert!(empty(folder, soon()));
        });
    }

    #[test]
    fn a_deadline_that_passed_leaves_the_rest() {
        with_folder(|path, folder| {
            fs::write(path.join("file"), "x").unwrap();
            assert!(!empty(folder, Instant::now() - Duration::from_secs(1)));
            assert!(empty(folder, soon()));
        });
    }
}
