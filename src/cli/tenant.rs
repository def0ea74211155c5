//! `--tenant`: of a configuration with tenants, which of them a command is about.

/// Which tenant.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct OfTenant {
    /// Of a configuration with [[tenant]] tables, the one that it is about
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

impl OfTenant {
    /// Its name, where one is given.
    pub(super) fn name(&self) -> Option<&str> {
        self.tenant.as_deref()
    }
}
