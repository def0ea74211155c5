#![no_main]

#[path = "../command.rs"]
mod command;

libfuzzer_sys::fuzz_target!(|input: &[u8]| command::check(input));
