//! Packets over `SOCK_SEQPACKET` sockets: each is one JSON value, with descriptors beside it.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest packet. It can be small, because code and inputs travel in descriptors. It should be small, because
/// every process that receives a packet pays for pages of this size.
pub const MAX_PACKET_BYTES: usize = 8 * 1024;
const MAX_DESCRIPTORS: usize = 8;

/// Sends one packet with descriptors, and waits until there is room for it.
///
/// # Errors
/// Those of sendmsg(2), and `EMSGSIZE` above [`MAX_PACKET_BYTES`].
pub fn send(socket: BorrowedFd<'_>, packet: &impl Serialize, fds: &[RawFd]) -> Result<(), Errno> {
    send_with(socket, packet, fds, MsgFlags::MSG_NOSIGNAL)
}

/// Sends one packet with descriptors, without waiting for a receiver that may not be reading.
///
/// # Errors
/// Those of [`send`], and `EAGAIN` if there is no room.
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

/// Receives one packet with its descriptors. `None` if the other end has closed the socket.
///
/// # Errors
/// Those of recvmsg(2), and `EBADMSG` for a packet that does not parse, is too long or has too many descriptors. The
/// descriptors that came with such a packet are closed.
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
    // The packet may hold what belongs to another function, and a fork of this process would inherit it.
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

/// Aligned, because control messages begin on a word.
#[repr(align(8))]
struct Aligned<const BYTES: usize>([u8; BYTES]);

/// Takes ownership of all descriptors that came, so that they get closed even if there was not room for all.
fn owned(message: &libc::msghdr) -> Vec<OwnedFd> {
    // A vector that grows leaves gaps in malloc's heap, and every fork would have to touch these.
    let mut fds = Vec::with_capacity(MAX_DESCRIPTORS);
    // SAFETY: the kernel filled the header and the buffer that it points to.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: `next` is null or points to a control message that lies in the buffer.
    while let Some(header) = unsafe { next.as_ref() } {
        if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS {
            // SAFETY: the header is that of a control message that lies in the buffer.
            let data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            // SAFETY: CMSG_LEN computes with plain numbers.
            let bytes = header.cmsg_len - unsafe { libc::CMSG_LEN(0) } as usize;
            for index in 0..bytes / size_of::<RawFd>() {
                // SAFETY: that many numbers lie at `data`.
                let place = unsafe { data.add(index) };
                // SAFETY: `place` points to one of these numbers.
                let fd = unsafe { place.read_unaligned() };
                // SAFETY: the kernel has just put this descriptor into our table, and nothing else knows it.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
        // SAFETY: as with CMSG_FIRSTHDR, the kernel filled the header and the buffer that it points to.
        next = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    fds
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;
    use crate::protocol::{Report, Request};

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
        // No process holds the other end any more.
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
