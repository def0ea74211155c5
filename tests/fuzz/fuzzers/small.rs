#![no_main]

#[path = "../small.rs"]
mod small;

libfuzzer_sys::fuzz_target!(|input: &[u8]| small::check(input));
