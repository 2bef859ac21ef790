//! What worker, zygote and template say to one another, over `SOCK_SEQPACKET` sockets: one JSON value a
//! packet, with descriptors beside it. Whatever a template says is hostile until checked.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest packet; code and inputs travel in descriptors. Every process that receives one pays for its pages.
pub const MAX_PACKET_BYTES: usize = 8 * 1024;
const MAX_DESCRIPTORS: usize = 8;

/// The first packet to a zygote: how it confines itself before anything else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether there is any; without it executions are ordinary processes.
    pub enforced: bool,
    /// Whether executions get uids of their own.
    pub own_uids: bool,
    /// Whether functions may be given the network.
    pub network: bool,
    /// The folder to chroot into.
    pub jail: Option<PathBuf>,
    /// The folder of all scratch folders, as seen from outside the jail.
    pub scratch: PathBuf,
    /// What executions may read, beside Ruby's own folders.
    pub readable: Vec<PathBuf>,
    /// Libraries to load before anything else.
    pub preload: Vec<String>,
}

/// A zygote's answer once it is warm and confined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confined {
    /// The layers in force for every execution.
    pub layers: Vec<String>,
    /// Ruby's version.
    pub ruby_version: String,
}

/// What the worker asks of a zygote or, with `Execute` alone, of a template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Serve the socket that comes with this packet, too.
    Channel,
    /// Fork an execution. Descriptors: scratch folder, code, input, logs, answer.
    Execute(Job),
    /// Fork a template. Descriptors: scratch folder, code, input, logs, answer, its own channel.
    Load(Job),
    /// End every process below the zygote that is no execution and no template. Only where executions have
    /// no uids of their own.
    EndOrphans,
}

/// What a zygote or a template says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// The process was forked. Not told of executions that end at once.
    Started {
        /// Its pid.
        pid: i32,
    },
    /// It could not be forked.
    NotStarted {
        /// Why.
        errno: i32,
    },
    /// The template has run its top level.
    Loaded,
    /// The process ended and was reaped.
    Exited(Exit),
    /// What `EndOrphans` asked for is done.
    OrphansEnded,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its pid.
    pub pid: i32,
    /// Its exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// User and system time, in microseconds, with that of the children it waited for.
    pub cpu_us: u64,
    /// The largest resident memory of any one of them, in bytes.
    pub max_rss_bytes: u64,
}

/// One process to fork, and within which bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Whom it runs as; `None` leaves the zygote's own uid.
    pub identity: Option<Identity>,
    /// What the kernel holds it to.
    pub limits: Limits,
    /// Whether it may open network connections.
    pub network: bool,
    /// Whether it may start processes.
    pub subprocesses: bool,
    /// The method to call, where it is not one of those with the usual names.
    pub handler: Option<String>,
    /// How large its result may be, in bytes.
    pub max_result_bytes: u64,
    /// How many bytes of the input's descriptor are the environment: `NAME=VALUE`, each with a nul behind it. For an
    /// execution of a template, it is what comes to the template's.
    pub environment_bytes: u64,
    /// How many bytes after it are the context; the event is the rest.
    pub context_bytes: u64,
}

/// The uids of a seat. gids have the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of executions.
    pub execution: u32,
    /// What a template is really and by its saved uid, so that its executions can't signal it.
    pub template: u32,
}

/// Limits that the kernel enforces for each process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Resident memory, in bytes; the worker counts it over all processes, the kernel bounds each.
    pub memory_bytes: u64,
    /// CPU time, in seconds.
    pub cpu_seconds: u64,
    /// Size of a file, in bytes.
    pub file_bytes: u64,
    /// Processes and threads of the uid.
    pub processes: u64,
}

/// What the worker asks of a janitor, the process that cleans one seat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Chore {
    /// The first packet: whose seat it is. Descriptors: scratch folder, and what claims the seat, to be held.
    Begin {
        /// Whose processes to end, and as whom to write; `None` where executions have no uids of their own.
        user: Option<User>,
    },
    /// End every process of the user.
    End,
    /// End every process of the user, and empty the scratch folder.
    Clean,
    /// Add up what the scratch folder holds.
    Measure,
}

/// Whose processes a janitor ends, and its own uid, by which these can't reach it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct User {
    /// The uid whose processes end.
    pub uid: u32,
    /// The janitor's own.
    pub janitor: u32,
}

/// What a janitor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoreDone {
    /// Nothing is left of what was to go.
    Done,
    /// Something is left: the seat can't be used again.
    Left,
    /// What the scratch folder holds, in bytes.
    Measured(u64),
}

/// Sends one packet with descriptors.
///
/// # Errors
/// Those of sendmsg(2), and `EMSGSIZE` above [`MAX_PACKET_BYTES`].
pub fn send(socket: BorrowedFd<'_>, packet: &impl Serialize, fds: &[RawFd]) -> Result<(), Errno> {
    let bytes = serde_json::to_vec(packet).map_err(|_| Errno::EINVAL)?;
    if bytes.len() > MAX_PACKET_BYTES {
        return Err(Errno::EMSGSIZE);
    }
    let rights = [ControlMessage::ScmRights(fds)];
    let control = if fds.is_empty() { &[][..] } else { &rights[..] };
    loop {
        let iov = [IoSlice::new(&bytes)];
        match sendmsg::<()>(socket.as_raw_fd(), &iov, control, MsgFlags::MSG_NOSIGNAL, None) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Receives one packet with its descriptors; `None` at the end of the conversation.
///
/// # Errors
/// Those of recvmsg(2), and `EBADMSG` for a packet that does not parse.
pub fn receive<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Option<(T, Vec<OwnedFd>)>, Errno> {
    buffer.resize(MAX_PACKET_BYTES, 0);
    let mut control = nix::cmsg_space!([RawFd; MAX_DESCRIPTORS]);
    let (bytes, fds) = loop {
        let mut iov = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        match recvmsg::<()>(socket.as_raw_fd(), &mut iov, Some(&mut control), flags) {
            Ok(message) => break (message.bytes, owned(message.cmsgs()?)),
            Err(Errno::EINTR) => {}
            Err(Errno::ECONNRESET) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    };
    if bytes == 0 {
        return Ok(None);
    }
    let packet = serde_json::from_slice(&buffer[..bytes]).map_err(|_| Errno::EBADMSG)?;
    Ok(Some((packet, fds)))
}

fn owned(messages: impl Iterator<Item = ControlMessageOwned>) -> Vec<OwnedFd> {
    // A vector that grows leaves malloc with gaps, which every fork would have to touch.
    let mut fds = Vec::with_capacity(MAX_DESCRIPTORS);
    for message in messages {
        if let ControlMessageOwned::ScmRights(received) = message {
            for fd in received {
                // SAFETY: the kernel has just put this descriptor into our table, and nothing else knows it.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
    }
    fds
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap()
    }

    #[test]
    fn packets_carry_descriptors() {
        let (ours, theirs) = pair();
        let (passed, _) = pair();
        send(ours.as_fd(), &Request::Channel, &[passed.as_raw_fd()]).unwrap();
        let (request, fds) = receive::<Request>(theirs.as_fd(), &mut Vec::new()).unwrap().unwrap();
        assert!(matches!(request, Request::Channel));
        assert_eq!(fds.len(), 1);
    }

    #[test]
    fn the_end_and_nonsense_are_told_apart() {
        let (ours, theirs) = pair();
        send(ours.as_fd(), &"nonsense", &[]).unwrap();
        drop(ours);
        let mut buffer = Vec::new();
        assert_eq!(receive::<Report>(theirs.as_fd(), &mut buffer).unwrap_err(), Errno::EBADMSG);
        assert!(receive::<Report>(theirs.as_fd(), &mut buffer).unwrap().is_none());
    }
}
