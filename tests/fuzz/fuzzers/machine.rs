#![no_main]

#[path = "../machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    machine::check(input);
});
