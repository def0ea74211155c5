//! Bytes as letters that every reader takes: hexadecimal digits, and the escapes of a URI.

pub mod hex;
pub mod uri;
