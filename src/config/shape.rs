//! Which tables a file has, and which keys each of them.
//!
//! The getters of [`Section`](super::section::Section) read what is listed here; whatever is not listed is refused before
//! they begin, by [`spelling`](super::spelling).

/// A table as a file may have it: its header and its keys.
#[derive(Debug)]
pub(super) struct Shape {
    /// As it stands in a file; empty for what stands above all headers.
    pub header: &'static str,
    /// The keys with values.
    values: &'static [&'static str],
    /// The keys with tables.
    pub parts: &'static [Part],
}

/// A table, or several, inside another.
#[derive(Debug)]
pub(super) struct Part {
    pub key: &'static str,
    pub kind: Kind,
    pub shape: &'static Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `[key]`
    One,
    /// `[[key]]`
    Many,
    /// `key = [{ … }, { … }]`
    Inline,
}

impl Shape {
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.values.iter().copied().chain(self.parts.iter().map(|part| part.key))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }

    /// Whether the key has a value, and no table.
    pub(super) fn has_value(&self, key: &str) -> bool {
        self.values.contains(&key)
    }

    pub(super) fn part(&self, key: &str) -> Option<&'static Part> {
        self.parts.iter().find(|part| part.key == key)
    }

    /// Every header inside this table.
    pub(super) fn headers(&self) -> Vec<&'static str> {
        let headed = self.parts.iter().filter(|part| part.kind != Kind::Inline);
        headed.flat_map(|part| std::iter::once(part.shape.header).chain(part.shape.headers())).collect()
    }

    /// The headers of the tables that have such a key, this one and those inside it. Where the key is a table itself, its
    /// own.
    pub(super) fn headers_with(&self, key: &str) -> Vec<&'static str> {
        let headed = |part: &&Part| part.kind != Kind::Inline;
        let inline = self.parts.iter().any(|part| part.kind == Kind::Inline && part.key == key);
        let own = Some(self.header).filter(|own| !own.is_empty() && (inline || self.values.contains(&key)));
        let table =
            self.parts.iter().filter(headed).find(|part| part.key == key).map(|part| part.shape.header);
        let inside = self.parts.iter().filter(headed).flat_map(|part| part.shape.headers_with(key));
        own.into_iter().chain(table).chain(inside).collect()
    }
}

const fn one(key: &'static str, shape: &'static Shape) -> Part {
    Part { key, kind: Kind::One, shape }
}

const fn many(key: &'static str, shape: &'static Shape) -> Part {
    Part { key, kind: Kind::Many, shape }
}

const fn inline(key: &'static str, shape: &'static Shape) -> Part {
    Part { key, kind: Kind::Inline, shape }
}

const fn leaf(header: &'static str, values: &'static [&'static str]) -> Shape {
    Shape { header, values, parts: &[] }
}

pub(super) static ROOT: Shape = Shape {
    header: "",
    values: &["relative-to"],
    parts: &[
        one("log", &LOG),
        one("admin", &ADMIN),
        one("audit", &AUDIT),
        one("backup", &BACKUP),
        one("limits", &LIMITS),
        one("policy", &POLICY),
        one("automatic-blocks", &AUTOMATIC_BLOCKS),
        many("notify", &NOTIFY),
        one("users", &USERS),
        many("issuer", &ISSUER),
        one("metrics", &METRICS),
        many("listener", &LISTENER),
        many("upstream", &UPSTREAM),
        many("route", &ROUTE),
        many("peer", &PEER),
        many("agreement", &AGREEMENT),
        many("consent", &CONSENT),
        many("role", &ROLE),
        many("crosswalk", &CROSSWALK),
        many("rewrite", &REWRITE),
    ],
};

/// A tenant, without its tables: each of those is the one of a file without tenants.
pub(super) static TENANT: Shape = leaf("[[tenant]]", &["name", "share", "server-names"]);

static LOG: Shape = leaf("[log]", &["level", "format"]);

static BACKUP: Shape = leaf("[backup]", &["every", "recipients"]);

static ADMIN: Shape = Shape {
    header: "[admin]",
    values: &["listen", "session-idle", "session-max", "state-directory", "patient-identifiers", "audience"],
    parts: &[one("tls", &ADMIN_TLS), many("access", &ADMIN_ACCESS)],
};

static ADMIN_ACCESS: Shape = leaf(
    "[[admin.access]]",
    &["role", "unix-users", "unix-groups", "certificates", "token-users", "token-roles"],
);

static AUDIT: Shape = Shape {
    header: "[audit]",
    values: &[
        "directory",
        "on-failure",
        "patient-identifiers",
        "secret-file",
        "signing-key",
        "checkpoint-records",
        "checkpoint-interval",
        "durability",
        "compress",
        "encrypt-to",
        "retention-days",
    ],
    parts: &[many("repository", &REPOSITORY), many("fhir", &FHIR)],
};

static REPOSITORY: Shape = Shape {
    header: "[[audit.repository]]",
    values: &[
        "name",
        "address",
        "transport",
        "facility",
        "severity",
        "message-id",
        "structured-data",
        "app-name",
        "host-name",
        "source-id",
        "enterprise-site-id",
        "begin",
    ],
    parts: &[one("tls", &REPOSITORY_TLS)],
};

static FHIR: Shape = Shape {
    header: "[[audit.fhir]]",
    values: &["name", "url", "app-name", "host-name", "source-id", "enterprise-site-id", "begin"],
    parts: &[one("tls", &FHIR_TLS)],
};

static NOTIFY: Shape = Shape {
    header: "[[notify]]",
    values: &["name", "url", "command", "when", "repeat", "secret-file"],
    parts: &[one("tls", &NOTIFY_TLS)],
};

static LIMITS: Shape = leaf(
    "[limits]",
    &[
        "max-associations",
        "max-associations-per-address",
        "connections-per-minute-per-address",
        "associations-per-minute",
        "associations-per-minute-per-address",
        "associate-timeout",
        "dimse-timeout",
        "min-bytes-per-second",
        "response-timeout",
        "idle-timeout",
        "release-timeout",
        "max-pdu-length",
        "max-associate-length",
        "request-memory",
        "max-command-length",
        "decoding-memory",
        "held-data-sets",
        "held-data-set",
        "grace",
        "reload-files",
    ],
);

static POLICY: Shape = leaf("[policy]", &["open-associations", "country", "blocked-countries"]);
static AUTOMATIC_BLOCKS: Shape = leaf("[automatic-blocks]", &["refusals", "within", "for", "exempt"]);
static USERS: Shape = leaf("[users]", &["file", "key-file"]);
static ISSUER: Shape = Shape {
    header: "[[issuer]]",
    values: &[
        "name",
        "issuer",
        "audience",
        "algorithms",
        "keys",
        "keys-max-age",
        "max-life",
        "leeway",
        "required-claims",
        "roles-claim",
        "name-claim",
        "calling-ae-titles-claim",
        "bound-to-certificate",
        "at-end",
    ],
    parts: &[one("tls", &ISSUER_TLS)],
};
static METRICS: Shape = leaf("[metrics]", &["listen"]);

static LISTENER: Shape = Shape {
    header: "[[listener]]",
    values: &[
        "name",
        "address",
        "upstream",
        "proxy-protocol-from",
        "health-checks-from",
        "user-identity",
        "user-identity-in-clear",
        "user-identity-pass",
    ],
    parts: &[one("tls", &LISTENER_TLS)],
};

const OF_SERVERS: &[&str] = &[
    "certificate-chain",
    "private-key",
    "private-key-passphrase-file",
    "client-authentication",
    "client-ca",
    "pins",
    "revocation-lists",
    "profile",
];

static LISTENER_TLS: Shape = leaf("[listener.tls]", OF_SERVERS);
static ADMIN_TLS: Shape = leaf("[admin.tls]", OF_SERVERS);

const OF_CLIENTS: &[&str] = &[
    "ca",
    "pins",
    "server-name",
    "certificate-chain",
    "private-key",
    "private-key-passphrase-file",
    "revocation-lists",
    "profile",
];

static UPSTREAM_TLS: Shape = leaf("[upstream.tls]", OF_CLIENTS);
static REPOSITORY_TLS: Shape = leaf("[audit.repository.tls]", OF_CLIENTS);
static FHIR_TLS: Shape = leaf("[audit.fhir.tls]", OF_CLIENTS);
static ISSUER_TLS: Shape = leaf("[issuer.tls]", OF_CLIENTS);
static NOTIFY_TLS: Shape = leaf("[notify.tls]", OF_CLIENTS);

static UPSTREAM: Shape = Shape {
    header: "[[upstream]]",
    values: &[
        "name",
        "addresses",
        "called-ae-title",
        "calling-ae-title",
        "connect-timeout",
        "wait",
        "response-timeout",
        "user-identity",
        "balance",
        "resolve",
        "send-proxy-protocol",
        "country",
    ],
    parts: &[one("health", &HEALTH), one("tls", &UPSTREAM_TLS)],
};

static HEALTH: Shape = leaf("[upstream.health]", &["echo", "rise", "fall"]);

static ROUTE: Shape = leaf("[[route]]", &["called-ae-title", "upstream"]);

static PEER: Shape = Shape {
    header: "[[peer]]",
    values: &[
        "name",
        "listeners",
        "networks",
        "calling-ae-titles",
        "called-ae-titles",
        "certificates",
        "issuers",
        "upstream",
        "role",
        "tenant",
        "country",
        "rewrite",
        "rewrite-direction",
        "two-way",
        "strip-asynchronous-window",
        "response-timeout",
        "max-associations",
        "associations-per-minute",
        "operations-per-second",
        "bytes-per-second",
        "scope-cache",
        "consent",
        "consent-scope",
    ],
    parts: &[inline("scope", &SCOPE)],
};

static AGREEMENT: Shape = leaf(
    "[[agreement]]",
    &[
        "id",
        "parties",
        "country",
        "mechanism",
        "reference",
        "purpose",
        "contact",
        "from",
        "until",
        "operations",
        "sop-classes",
        "move-destinations",
        "rewrite",
        "consent",
        "consent-scope",
    ],
);

static CONSENT: Shape = Shape {
    header: "[[consent]]",
    values: &["name", "source", "file", "issuer", "unknown", "url", "system", "deadline", "cache-for"],
    parts: &[one("tls", &CONSENT_TLS)],
};
static CONSENT_TLS: Shape = leaf("[consent.tls]", OF_CLIENTS);

static SCOPE: Shape = leaf("scope", &["tag", "equals", "any-of", "newer-than"]);

static ROLE: Shape = leaf(
    "[[role]]",
    &[
        "name",
        "operations",
        "sop-classes",
        "transfer-syntaxes",
        "move-destinations",
        "minimum-tls",
        "hours",
        "require",
        "query-levels",
        "query-keys",
        "query-min-length",
        "hide",
        "max-answers",
        "max-retrievals-per-hour",
        "max-patients-per-day",
    ],
);

static CROSSWALK: Shape = leaf("[[crosswalk]]", &["name", "file", "key-file"]);

static REWRITE: Shape = Shape {
    header: "[[rewrite]]",
    values: &[
        "name",
        "profile",
        "options",
        "date-shift-days",
        "keep-times",
        "encapsulated-documents",
        "private-sop-classes",
        "burned-in",
        "unmasked",
        "ultrasound-regions",
        "known-devices",
        "compressed-pixels",
        "largest-frame",
        "vocabulary",
        "clean-identifiers",
        "identifiers",
        "secret-file",
        "current-secret",
        "crosswalk",
        "patient-key",
        "tolerance",
        "max-depth",
        "max-inflated-size",
    ],
    parts: &[inline("masks", &MASK), inline("secrets", &SECRET), inline("rules", &RULE)],
};

static MASK: Shape = leaf(
    "masks",
    &[
        "sop-class",
        "modality",
        "manufacturer",
        "model",
        "image-type",
        "series-description",
        "rows",
        "columns",
        "rectangles",
    ],
);
static SECRET: Shape = leaf("secrets", &["version", "file"]);
static RULE: Shape = leaf("rules", &["tag", "action", "value", "find", "length"]);

#[cfg(test)]
mod tests {
    use super::ROOT;

    #[test]
    fn a_key_is_found_in_every_table_that_has_it() {
        assert_eq!(ROOT.headers_with("level"), ["[log]"]);
        assert_eq!(ROOT.headers_with("response-timeout"), ["[limits]", "[[upstream]]", "[[peer]]"]);
        assert_eq!(ROOT.headers_with("rules"), ["[[rewrite]]"]);
        assert_eq!(ROOT.headers_with("client-ca"), ["[admin.tls]", "[listener.tls]"]);
        assert_eq!(ROOT.headers_with("upstream"), ["[[upstream]]", "[[listener]]", "[[route]]", "[[peer]]"]);
    }
}
