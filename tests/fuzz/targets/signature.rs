#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| badlambda_tests::parsers::signature(bytes));
