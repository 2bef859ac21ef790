//! Tests that run the filters of both architectures as the kernel does.

use super::*;

const BOTH: [TargetArch; 2] = [TargetArch::x86_64, TargetArch::aarch64];
const X32: i64 = 0x4000_0000;

/// The AUDIT_ARCH_* constants of linux/audit.h.
fn audit(architecture: TargetArch) -> u32 {
    match architecture {
        TargetArch::x86_64 => 0xc000_003e,
        TargetArch::aarch64 => 0xc000_00b7,
        TargetArch::riscv64 => 0xc000_00f3,
    }
}

/// Runs a filter on a system call and returns the filter's decision. It implements the machine of linux/filter.h as
/// far as our filters use it.
fn run(program: &BpfProgram, architecture: u32, number: i64, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend((number as u32).to_ne_bytes());
    data.extend(architecture.to_ne_bytes());
    data.extend(0u64.to_ne_bytes());
    arguments.iter().for_each(|argument| data.extend(argument.to_ne_bytes()));
    let (mut accumulator, mut next) = (0u32, 0);
    loop {
        let instruction = &program[next];
        let k = instruction.k;
        next += 1;
        let mut jump = |taken: bool| {
            next += usize::from(if taken { instruction.jt } else { instruction.jf });
        };
        match instruction.code {
            0x20 => accumulator = u32::from_ne_bytes(data[k as usize..k as usize + 4].try_into().unwrap()),
            0x05 => next += k as usize,
            0x15 => jump(accumulator == k),
            0x25 => jump(accumulator > k),
            0x35 => jump(accumulator >= k),
            0x45 => jump(accumulator & k != 0),
            0x54 => accumulator &= k,
            0x06 => return k,
            code => panic!("an instruction of code {code:#x}"),
        }
    }
}

const ALLOW: u32 = 0x7fff_0000;
const NO_SUCH_CALL: u32 = 0x0005_0000 | ENOSYS as u32;
const REFUSED: u32 = 0x0005_0000 | EPERM as u32;
const KILL: u32 = 0x8000_0000;

fn first(on: TargetArch, call: &Call, arguments: [u64; 6]) -> u32 {
    run(&stage1_for(on, false).unwrap(), audit(on), call.number(on).unwrap(), arguments)
}

fn with(index: usize, value: u64) -> [u64; 6] {
    let mut arguments = [0; 6];
    arguments[index] = value;
    arguments
}

#[test]
fn what_is_listed_is_allowed_and_nothing_else() {
    let by_argument = [calls::CLONE, calls::IOCTL, calls::PRCTL, calls::SOCKET, calls::SOCKETPAIR];
    for on in BOTH {
        let program = stage1_for(on, true).unwrap();
        assert!(
            program.len() <= 4_096,
            "{} instructions, and the kernel takes no more than 4096",
            program.len()
        );
        let listed = [calls::ALLOWED, calls::ALLOWED_OLD, &[calls::STAT_AT]].concat();
        let allowed: Vec<i64> = listed.iter().filter_map(|call| call.number(on)).collect();
        for number in 0..1024 {
            if by_argument.iter().any(|call| call.number(on) == Some(number)) {
                continue;
            }
            let expected = if allowed.contains(&number) { ALLOW } else { NO_SUCH_CALL };
            assert_eq!(run(&program, audit(on), number, [0; 6]), expected, "{on:?} {number}");
            assert_eq!(
                run(&program, audit(on), number | X32, [0; 6]),
                NO_SUCH_CALL,
                "{on:?} {number} of x32"
            );
        }
        let foreign = if on == TargetArch::x86_64 { TargetArch::aarch64 } else { TargetArch::x86_64 };
        assert_eq!(run(&program, audit(foreign), 0, [0; 6]), KILL);
        // AUDIT_ARCH_I386, which has 32 bits.
        assert_eq!(run(&program, 0x4000_0003, 0, [0; 6]), KILL);
    }
}

#[test]
fn what_has_been_a_way_out_is_not_there() {
    for on in BOTH {
        for call in calls::REFUSED.iter().chain(calls::REFUSED_OLD) {
            if let Some(number) = call.number(on) {
                let limit_hit = run(&stage1_for(on, true).unwrap(), audit(on), number, [0; 6]);
                assert_eq!(limit_hit, NO_SUCH_CALL, "{} on {on:?}", call.name);
            }
        }
    }
}

#[test]
fn arguments_decide_where_they_must() {
    // The kernel looks at the lower 32 bits only, so this bit must not change a decision.
    const HIGH: u64 = 1 << 32;
    for on in BOTH {
        let thread = 0x3d_0f00;
        assert_eq!(first(on, &calls::CLONE, with(0, thread)), ALLOW);
        assert_eq!(first(on, &calls::CLONE, with(0, SIGCHLD as u64)), ALLOW);
        for bit in (0..32).map(|bit| 1 << bit).filter(|bit| CLONE_REFUSED & bit != 0) {
            assert_eq!(first(on, &calls::CLONE, with(0, bit | SIGCHLD as u64)), NO_SUCH_CALL, "{bit:#x}");
        }
        for (family, expected) in (0..50).map(|family| (family, [2, 10].contains(&family))) {
            let expected = if expected { ALLOW } else { NO_SUCH_CALL };
            assert_eq!(first(on, &calls::SOCKET, with(0, family)), expected, "{family}");
            assert_eq!(first(on, &calls::SOCKET, with(0, family | HIGH)), expected, "{family}");
        }
        let pair = |family, kind| first(on, &calls::SOCKETPAIR, [family, kind, 0, 0, 0, 0]);
        assert_eq!(pair(1, 1 | SOCK_CLOEXEC as u64), ALLOW);
        for (family, kind) in [(1, 2), (1, 5), (2, 1), (1, 2 | HIGH), (16, 1)] {
            assert_eq!(pair(family, kind), NO_SUCH_CALL, "{family} {kind}");
        }
        let in_jail = |family, kind| {
            let program = stage1_for(on, true).unwrap();
            run(&program, audit(on), calls::SOCKET.number(on).unwrap(), [family, kind, 0, 0, 0, 0])
        };
        assert_eq!(in_jail(1, 1 | SOCK_CLOEXEC as u64), ALLOW);
        for (family, kind) in [(1, 2), (1, 5), (1, 2 | HIGH), (16, 1), (17, 1)] {
            assert_eq!(in_jail(family, kind), NO_SUCH_CALL, "{family} {kind}");
        }
        assert_eq!(first(on, &calls::IOCTL, with(1, TCGETS)), ALLOW);
        for request in [TIOCSTI, TIOCSCTTY, TIOCLINUX, TIOCSTI | HIGH] {
            assert_eq!(first(on, &calls::IOCTL, with(1, request)), NO_SUCH_CALL, "{request:#x}");
        }
        assert_eq!(first(on, &calls::PRCTL, with(0, PR_SET_NAME as u64)), ALLOW);
        for option in [PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_MM, PR_CAP_AMBIENT, PR_SET_CHILD_SUBREAPER] {
            assert_eq!(first(on, &calls::PRCTL, with(0, option as u64)), NO_SUCH_CALL, "{option}");
        }
    }
}

const STAGES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];
const LOADED_FROM: u64 = 0x7f12_3456_7890;
const UID: u64 = 40_004;
const PID: u64 = 4711;

/// The decision of a filter of stage 2 whose placeholders are filled in. `None` where the architecture has no such
/// call.
fn second(on: TargetArch, stage: Stage2, call: &Call, arguments: [u64; 6]) -> Option<u32> {
    let mut program = stage2_for(on, stage, LOADED_FROM).unwrap();
    fill_in(&mut program, UID as u32, PID as u32);
    Some(run(&program, audit(on), call.number(on)?, arguments))
}

fn each(check: impl Fn(TargetArch, Stage2, bool, bool, bool)) {
    for on in BOTH {
        for (network, subprocesses) in STAGES {
            for of in [Confined::Execution, Confined::Template] {
                check(
                    on,
                    Stage2 { of, network, subprocesses },
                    network,
                    subprocesses,
                    of == Confined::Template,
                );
            }
        }
    }
}

#[test]
fn stage_2_takes_away_what_a_function_may_not() {
    each(|on, stage, network, subprocesses, template| {
        let check = |list: &[Call], denied: bool| {
            let expected = if denied { REFUSED } else { ALLOW };
            for found in list.iter().filter_map(|call| second(on, stage, call, [PID, 0, 0, 0, 0, 0])) {
                assert_eq!(found, expected, "{on:?} {network} {subprocesses} {template} {list:?}");
            }
        };
        let length = stage2_for(on, stage, LOADED_FROM).unwrap().len();
        assert!(length < 150, "{length}");
        check(calls::DENIED_WITHOUT_NETWORK, !network);
        check(calls::DENIED_WITH_NETWORK, network && !template);
        check(calls::DENIED_TO_TEMPLATES_WITH_NETWORK, network && template);
        let unix = second(on, stage, &calls::SOCKET, with(0, AF_UNIX as u64));
        assert_eq!(unix == Some(ALLOW), network && !template);
        check(calls::DENIED_WITHOUT_SUBPROCESSES, !subprocesses);
        check(calls::DENIED_WITHOUT_SUBPROCESSES_OLD, !subprocesses && !template);
        check(calls::DENIED_TO_ONE_PROCESS, !subprocesses && !template);
        check(calls::DENIED_ALWAYS, true);
        check(calls::SIGNALS, false);
        assert_eq!(second(on, stage, &calls::SIGNALS[0], [0; 6]), Some(ALLOW));
        let process = second(on, stage, &calls::CLONE, with(0, SIGCHLD as u64)).unwrap();
        assert_eq!(process == REFUSED, !subprocesses && !template);
        assert_eq!(second(on, stage, &calls::CLONE, with(0, CLONE_THREAD as u64)), Some(ALLOW));
        let dumpable = second(on, stage, &calls::PRCTL, with(0, PR_SET_DUMPABLE as u64)).unwrap();
        assert_eq!(dumpable == REFUSED, !template);
        assert_eq!(second(on, stage, &calls::PRCTL, with(0, PR_SET_NAME as u64)), Some(ALLOW));
        for other in [1, PID + 1, (-1i32) as u32 as u64] {
            let found = second(on, stage, &calls::SIGNALS[0], with(0, other));
            assert_eq!(found == Some(REFUSED), !subprocesses && !template, "{other}");
        }
    });
}

#[test]
fn a_template_becomes_its_executions_uid_and_nobody_else() {
    each(|on, stage, _, _, template| {
        let found = |uids: [u64; 3]| {
            let [real, effective, saved] = uids;
            second(on, stage, &calls::SETRESUID, [real, effective, saved, 0, 0, 0]) == Some(ALLOW)
        };
        assert_eq!(found([UID; 3]), template);
        let unchanged = (-1i32) as u32 as u64;
        for place in 0..3 {
            for other in [0, UID + 1, UID + 2, unchanged, EXECUTION_UID.into()] {
                let mut uids = [UID; 3];
                uids[place] = other;
                assert!(!found(uids), "{uids:?}");
            }
        }
    });
}

#[test]
fn a_template_takes_the_jails_steps_and_no_others() {
    each(|on, stage, _, _, template| {
        let loads = |operation: u64, flags: u64, from: u64| {
            second(on, stage, &calls::SECCOMP, [operation, flags, from, 0, 0, 0]) == Some(ALLOW)
        };
        // Flag 1 is SECCOMP_FILTER_FLAG_TSYNC: the filter holds for all threads.
        assert_eq!(loads(1, 1, LOADED_FROM), template);
        for (operation, flags, from) in [
            (0, 0, LOADED_FROM),
            (0, 1, LOADED_FROM),
            (2, 0, LOADED_FROM),
            (2, 1, LOADED_FROM),
            (1, 0, LOADED_FROM),
            (1, 8, LOADED_FROM),
            (1, 9, LOADED_FROM),
            (1, 1, LOADED_FROM + 8),
        ] {
            assert!(!loads(operation, flags, from), "{operation} {flags} {from:#x}");
        }
        let death = |signal: i32| {
            let arguments = [PR_SET_PDEATHSIG as u64, signal as u64, 0, 0, 0, 0];
            second(on, stage, &calls::PRCTL, arguments) == Some(ALLOW)
        };
        assert_eq!(death(SIGKILL), template);
        assert!(!death(0) && !death(SIGUSR1));
    });
}

#[test]
fn arguments_that_reach_others_or_hide_memory_are_refused_to_everyone() {
    for on in BOTH {
        let program = arguments_for(on).unwrap();
        let limit_hit = |call: &Call, arguments| {
            call.number(on).map(|number| run(&program, audit(on), number, arguments))
        };
        let refused =
            |call: &Call, arguments| limit_hit(call, arguments).is_none_or(|found| found == REFUSED);
        let allowed = |call: &Call, arguments| limit_hit(call, arguments).is_none_or(|found| found == ALLOW);
        let mapping = |flags: i32| with(3, flags as u64);
        assert!(refused(&calls::MMAP, mapping(MAP_SHARED | MAP_ANONYMOUS)));
        assert!(refused(&calls::MMAP, mapping(MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE)));
        assert!(allowed(&calls::MMAP, mapping(MAP_PRIVATE | MAP_ANONYMOUS)));
        assert!(allowed(&calls::MMAP, mapping(MAP_SHARED)));
        assert!(refused(&calls::OPENAT, with(2, (O_TMPFILE | O_RDWR) as u64)));
        assert!(refused(&calls::OPEN, with(1, (O_TMPFILE | O_WRONLY) as u64)));
        assert!(allowed(&calls::OPENAT, with(2, (O_DIRECTORY | O_CLOEXEC) as u64)));
        assert!(refused(&calls::FCNTL, with(1, F_NOTIFY as u64)));
        assert!(refused(&calls::FCNTL, with(1, F_SETPIPE_SZ as u64)));
        assert!(allowed(&calls::FCNTL, with(1, F_SETFL as u64)));
        for call in calls::PRIORITIES {
            assert!(allowed(call, [0; 6]));
            assert!(refused(call, with(0, PRIO_USER.into())) && refused(call, with(1, 7)));
        }
        for call in calls::OF_A_PROCESS {
            assert!(allowed(call, [0; 6]) && refused(call, with(0, 7)));
        }
        assert!(refused(&calls::MANY_MESSAGES[0], with(3, MSG_OOB as u64)));
        assert!(refused(&calls::MESSAGES[1], with(2, (MSG_OOB | MSG_DONTWAIT) as u64)));
        let option = |level: i32, option: i32| [0, level as u64, option as u64, 0, 0, 0];
        assert!(refused(&calls::SETSOCKOPT, option(SOL_SOCKET, SO_ATTACH_FILTER)));
        assert!(allowed(&calls::SETSOCKOPT, option(SOL_SOCKET, SO_KEEPALIVE)));
        assert!(allowed(&calls::SETSOCKOPT, option(IPPROTO_TCP, SO_ATTACH_FILTER)));
        assert!(refused(&calls::ARCH_PRCTL, with(0, 0x1001)) && allowed(&calls::ARCH_PRCTL, with(0, 0x1002)));
    }
}

#[test]
fn attributes_of_files_are_not_supported() {
    for on in BOTH {
        let program = attributes_for(on).unwrap();
        for call in calls::ATTRIBUTES {
            let found = run(&program, audit(on), call.number(on).unwrap(), [0; 6]);
            assert_eq!(found, 0x0005_0000 | EOPNOTSUPP as u32, "{}", call.name);
        }
        assert_eq!(run(&program, audit(on), calls::STAT_AT.number(on).unwrap(), [0; 6]), ALLOW);
    }
}
