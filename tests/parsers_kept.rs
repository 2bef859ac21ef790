//! Every parser, on what was kept of fuzzing it, and on random changes of that.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to run on")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use badlambda_tests::parsers::ALL;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// For each parser.
const TIME: Duration = Duration::from_secs(1);
const SEED: &str = "PARSERS_SEED";

/// Ruby's parser calls itself for what is nested.
const STACK_BYTES: usize = 32 << 20;

#[test]
fn parsers_come_back_from_whatever_they_are_given() {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(try_all).unwrap();
    thread.join().unwrap();
}

fn try_all() {
    let seed =
        std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random::<u64>);
    // Shown where the test fails.
    println!("to try the same again: {SEED}={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for (name, parse) in ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = fs::read_dir(&folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        let kept: Vec<Vec<u8>> = files.collect();
        assert!(!kept.is_empty(), "{}", folder.display());
        kept.iter().for_each(|bytes| parse(bytes));
        let until = Instant::now() + TIME;
        while Instant::now() < until {
            let mut bytes = kept[random.random_range(0..kept.len())].clone();
            for _ in 0..random.random_range(1..8) {
                change(&mut bytes, &kept, &mut random);
            }
            parse(&bytes);
        }
    }
}

fn change(bytes: &mut Vec<u8>, kept: &[Vec<u8>], random: &mut StdRng) {
    let at = random.random_range(0..=bytes.len());
    match random.random_range(0..5) {
        0 => bytes.insert(at, random.random()),
        1 if at < bytes.len() => bytes[at] = random.random(),
        2 => bytes.truncate(at),
        3 if at < bytes.len() => drop(bytes.remove(at)),
        _ => {
            let other = &kept[random.random_range(0..kept.len())];
            let from = random.random_range(0..=other.len());
            bytes.splice(at..at, other[from..].iter().copied().take(64));
        }
    }
    bytes.truncate(64 * 1024);
}
