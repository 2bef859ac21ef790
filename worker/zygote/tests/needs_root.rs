//! The cleaner, as a worker starts it, with uids of its own: only root can give it those. Elsewhere leave this out with
//! `cargo test -- --skip needs_root::`.

mod needs_root {
    use std::fs::File;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::process::{Child, Command};

    use badlambda_zygote::protocol::{CleanerReply, CleanerRequest, User};
    use badlambda_zygote::wire;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    /// Of no sandbox that a worker makes.
    const USER: User = User { uid: 65_000, cleaner: 65_001 };

    /// Starts a cleaner through `program` and its arguments; returns what it says first, and what keeps it alive.
    fn begin(program: &[&str]) -> (CleanerReply, OwnedFd, Child) {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let words = [program, &[env!("CARGO_BIN_EXE_badlambda-cleaner")]].concat();
        let child = Command::new(words[0]).args(&words[1..]).stdin(theirs).spawn().unwrap();
        let folder = std::env::temp_dir().join(format!("cleaner-alone-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let scratch = File::open(&folder).unwrap();
        let request = CleanerRequest::Begin { user: Some(USER) };
        wire::send(ours.as_fd(), &request, &[scratch.as_raw_fd()]).unwrap();
        let (reply, _) = wire::receive(ours.as_fd(), &mut Vec::new()).unwrap().unwrap();
        (reply, ours, child)
    }

    #[test]
    fn two_never_have_the_same_uids_whatever_namespace_of_pids_they_are_in() {
        const APART: &[&str] = &["unshare", "--pid", "--fork", "--kill-child"];
        for (one, other) in [(&[][..], &[][..]), (&[], APART), (APART, &[]), (APART, APART)] {
            let (reply, channel, mut first) = begin(one);
            assert_eq!(reply, CleanerReply::Done);
            let (reply, _channel, mut second) = begin(other);
            assert_eq!(reply, CleanerReply::Taken, "{one:?} {other:?}");
            assert!(second.wait().unwrap().success());
            drop(channel);
            first.wait().unwrap();
        }
        std::fs::remove_dir(std::env::temp_dir().join(format!("cleaner-alone-{}", std::process::id())))
            .unwrap();
    }
}
