#![no_main]

#[path = "../transform.rs"]
mod transform;

libfuzzer_sys::fuzz_target!(|input: &[u8]| transform::check(input));
