//! What each check looks at, by what it is about.

pub(super) mod access;
pub(super) mod borders;
pub(super) mod elsewhere;
pub(super) mod identity;
pub(super) mod records;
pub(super) mod rewriting;
pub(super) mod transport;

/// Names behind each other, the first few of them.
fn some(names: &[String]) -> String {
    const FEW: usize = 5;
    if names.is_empty() {
        return "none is configured".to_owned();
    }
    let shown = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(FEW) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
