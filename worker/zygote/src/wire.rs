//! What worker, zygote and cleaner say to one another, and what the worker asks of a template, over `SOCK_SEQPACKET`
//! sockets: one JSON value a packet, with descriptors beside it. What a template says comes another way, see report.rs.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
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
    /// Fork a loader, of which a template comes. Descriptors: scratch folder, code, input, logs, answer, where the
    /// template's requests come from, and where it reports to.
    Load(Job),
    /// Say that you are there.
    Ping,
    /// End every process below the zygote that is no execution and no loader. Only where executions have no uids of
    /// their own; there, a template's loader stays.
    EndOrphans,
}

/// What a zygote says.
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
    /// The process ended and was reaped.
    Exited(Exit),
    /// It is there.
    Pong,
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
    /// How large its result may be, in bytes.
    pub max_result_bytes: u64,
    /// How many bytes of the input's descriptor are the environment: `NAME=VALUE`, each with a nul behind it. For an
    /// execution of a template, it is what comes to the template's.
    pub environment_bytes: u64,
    /// How many bytes after it are the context.
    pub context_bytes: u64,
    /// How many bytes after that are the name of the method to call, where it is not a usual one; the event is the rest.
    pub handler_bytes: u64,
}

/// The uids of a sandbox. gids have the same numbers.
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

/// What the worker asks of a cleaner, the process that cleans one sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CleanerRequest {
    /// The first packet: whose sandbox it is. Descriptors: scratch folder, and what claims the sandbox, to be held.
    Begin {
        /// Whose processes to end, and as whom to write; `None` where executions have no uids of their own.
        user: Option<User>,
    },
    /// End every process of the user.
    End {
        /// How long they may take to be gone, in milliseconds.
        patience_ms: u64,
    },
    /// Stop every process of the user: from then on there are no more of them than there are.
    Stop,
    /// Let them go on. It is not answered: nobody waits for it.
    Continue,
    /// End every process of the user, and empty the scratch folder.
    Clean,
    /// Add up what the scratch folder holds, and the user's files that have no name any more.
    MeasureScratch {
        /// In bytes; how much more there is does not matter.
        most: u64,
    },
    /// Add up what the user's processes hold in memory.
    MeasureMemory,
}

/// Whose processes a cleaner ends, and its own uid, by which these can't reach it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct User {
    /// The uid whose processes end.
    pub uid: u32,
    /// The cleaner's own.
    pub cleaner: u32,
}

/// What a cleaner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CleanerReply {
    /// Nothing is left of what was to go.
    Done,
    /// Something is left: the sandbox can't be used again.
    Left,
    /// What was added up, in bytes.
    Measured(u64),
    /// It could not be added up in time.
    Unmeasured,
}

/// Sends one packet with descriptors, and waits until there is room for it.
///
/// # Errors
/// Those of sendmsg(2), and `EMSGSIZE` above [`MAX_PACKET_BYTES`].
pub fn send(socket: BorrowedFd<'_>, packet: &impl Serialize, fds: &[RawFd]) -> Result<(), Errno> {
    send_with(socket, packet, fds, MsgFlags::MSG_NOSIGNAL)
}

/// Sends one packet with descriptors, to someone who may not be reading.
///
/// # Errors
/// As [`send`], and `EAGAIN` where there is no room.
pub fn send_now(socket: BorrowedFd<'_>, packet: &impl Serialize, fds: &[RawFd]) -> Result<(), Errno> {
    send_with(socket, packet, fds, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT)
}

fn send_with(
    socket: BorrowedFd<'_>,
    packet: &impl Serialize,
    fds: &[RawFd],
    flags: MsgFlags,
) -> Result<(), Errno> {
    let bytes = serde_json::to_vec(packet).map_err(|_| Errno::EINVAL)?;
    if bytes.len() > MAX_PACKET_BYTES {
        return Err(Errno::EMSGSIZE);
    }
    let rights = [ControlMessage::ScmRights(fds)];
    let control = if fds.is_empty() { &[][..] } else { &rights[..] };
    loop {
        let iov = [IoSlice::new(&bytes)];
        match sendmsg::<()>(socket.as_raw_fd(), &iov, control, flags, None) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Receives one packet with its descriptors; `None` at the end of the conversation.
///
/// # Errors
/// Those of recvmsg(2), and `EBADMSG` for a packet that does not parse, or that was longer or had more descriptors
/// than any has. Those that came are closed.
pub fn receive<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Option<(T, Vec<OwnedFd>)>, Errno> {
    buffer.resize(MAX_PACKET_BYTES, 0);
    let (bytes, fds) = receive_bytes(socket, buffer)?;
    if bytes == 0 {
        return Ok(None);
    }
    let packet = serde_json::from_slice(&buffer[..bytes]).map_err(|_| Errno::EBADMSG);
    // It may name what is another function's, and a fork of this process would have it.
    buffer[..bytes].fill(0);
    Ok(Some((packet?, fds)))
}

fn receive_bytes(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
    // SAFETY: CMSG_SPACE computes with plain numbers.
    const CONTROL_BYTES: usize =
        unsafe { libc::CMSG_SPACE((MAX_DESCRIPTORS * size_of::<RawFd>()) as u32) } as usize;
    let mut control = Aligned([0u8; CONTROL_BYTES]);
    let mut iov = [libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() }];
    // SAFETY: all-zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = iov.as_mut_ptr();
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = CONTROL_BYTES as _;
    let bytes = loop {
        // SAFETY: the message points to buffers that outlive the call.
        let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) };
        match Errno::result(received) {
            Ok(bytes) => break bytes as usize,
            Err(Errno::EINTR) => {}
            Err(Errno::ECONNRESET) => break 0,
            Err(errno) => return Err(errno),
        }
    };
    let fds = owned(&message);
    if message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(Errno::EBADMSG);
    }
    Ok((bytes, fds))
}

/// Control messages begin on a word.
#[repr(align(8))]
struct Aligned<const BYTES: usize>([u8; BYTES]);

/// Whatever came is owned, and so closed, even if there was not room for all.
fn owned(message: &libc::msghdr) -> Vec<OwnedFd> {
    // A vector that grows leaves malloc with gaps, which every fork would have to touch.
    let mut fds = Vec::with_capacity(MAX_DESCRIPTORS);
    // SAFETY: the kernel filled the header and the buffer that it points to.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: it is null or points to a control message that lies in the buffer.
    while let Some(header) = unsafe { next.as_ref() } {
        if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS {
            // SAFETY: as above.
            let data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            // SAFETY: computes with plain numbers.
            let bytes = header.cmsg_len - unsafe { libc::CMSG_LEN(0) } as usize;
            for index in 0..bytes / size_of::<RawFd>() {
                // SAFETY: so many numbers lie there.
                let place = unsafe { data.add(index) };
                // SAFETY: it is one of them.
                let fd = unsafe { place.read_unaligned() };
                // SAFETY: the kernel has just put this descriptor into our table, and nothing else knows it.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
        // SAFETY: as for the first.
        next = unsafe { libc::CMSG_NXTHDR(message, header) };
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
    fn more_descriptors_than_any_packet_has_are_closed() {
        let (ours, theirs) = pair();
        let (passed, other) = pair();
        send(ours.as_fd(), &Request::Channel, &[passed.as_raw_fd(); 2 * MAX_DESCRIPTORS]).unwrap();
        drop(passed);
        assert_eq!(receive::<Request>(theirs.as_fd(), &mut Vec::new()).unwrap_err(), Errno::EBADMSG);
        // Nobody holds the other end any more.
        assert!(receive::<Request>(other.as_fd(), &mut Vec::new()).unwrap().is_none());
    }

    #[test]
    fn who_does_not_read_is_not_waited_for() {
        let (ours, _theirs) = pair();
        let sent = (0..100_000).map(|_| send_now(ours.as_fd(), &Request::Channel, &[]));
        assert_eq!(sent.filter_map(Result::err).next(), Some(Errno::EAGAIN));
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
