#![no_main]

#[path = "../associate.rs"]
mod associate;

libfuzzer_sys::fuzz_target!(|input: &[u8]| associate::check(input));
