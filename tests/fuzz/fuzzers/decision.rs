#![no_main]

#[path = "../decision.rs"]
mod decision;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decision::check(input));
