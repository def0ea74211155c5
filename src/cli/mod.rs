//! (skeleton)
pub mod demo;
pub mod table;
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
