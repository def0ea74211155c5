//! One tenant of a file, for a command that is about one.

use super::super::suggest;
use super::split::Parts;

/// Why it is not known of which tenant a command is.
pub(in crate::config) enum NotChosen<'n> {
    /// None is named, of these.
    None(Vec<String>),
    /// There is none of this name, but these.
    Unknown(&'n str, Vec<String>),
    /// One is named, and the file has none.
    NoTenants(&'n str),
}

impl NotChosen<'_> {
    /// What is wrong, and what would be right.
    pub(in crate::config) fn told(self) -> (String, String) {
        match self {
            Self::None(names) => {
                ("has tenants".into(), format!("say which with --tenant: {}", names.join(", ")))
            }
            Self::Unknown(name, names) => {
                let remedy = suggest::or_list(name, names.iter().map(String::as_str));
                (format!("no [[tenant]] is called {name:?}"), remedy)
            }
            Self::NoTenants(name) => {
                (format!("has no [[tenant]], so none is called {name:?}"), "leave --tenant out".into())
            }
        }
    }
}

impl Parts {
    /// The text of the tenant of this name.
    ///
    /// # Errors
    /// There is none, or none is named.
    pub(in crate::config) fn text_of(self, tenant: Option<&str>) -> Result<String, NotChosen<'_>> {
        let names = || self.tenants.iter().map(|part| part.name.to_string()).collect();
        let Some(name) = tenant else { return Err(NotChosen::None(names())) };
        let part = self.tenants.iter().find(|part| *part.name == *name);
        part.map(|part| part.text.to_string()).ok_or_else(|| NotChosen::Unknown(name, names()))
    }
}
