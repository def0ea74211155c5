//! Share.
