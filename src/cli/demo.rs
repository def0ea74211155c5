//! `dimsegate demo`: everything on this machine, loopback only.

mod archive;
mod command;
mod phantom;
mod requestor;
