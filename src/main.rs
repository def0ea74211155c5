//! The command line. Everything else is in the library, so that tests and benchmarks can use it.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    dimsegate::cli::main()
}
