//! What is said of one thing that happens, and the macro that binds it to the variant which stands for it in code.

use super::Rejection;

/// What is said of one thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Kebab-case, stable: what records, the log and metrics carry.
    pub label: &'static str,
    /// For people: what happened.
    pub what: &'static str,
    /// For people: what to look at next.
    pub look: &'static str,
    /// What whoever asked is told on the wire.
    pub answer: Answer,
    /// What a repository is told.
    pub alert: Alert,
}

/// What whoever asked is told on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing of DICOM: the connection is closed, ended by an alert of TLS, or aborted.
    Silent,
    /// An A-ASSOCIATE-RJ (PS3.8 §9.3.4).
    Rejected(Rejection),
    /// What the upstream said.
    AsUpstream,
    /// A response with this status (PS3.7 Annex C).
    Status(u16),
    /// A response with a status that depends on the service and on what went wrong.
    StatusOfService,
}

/// The kind of a message of a security alert (PS3.15 §A.5.3.11), and how serious a failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// None: nobody's access was decided.
    No,
    /// Somebody could not prove who they are.
    NodeAuthentication,
    /// The upstream could not prove who it is, or does not take our proof: nothing reaches it.
    UpstreamAuthentication,
    /// Somebody broke a protocol, or tried another one.
    RestrictedFunction,
    /// Somebody wanted what they may not have.
    AccessControl,
    /// A user could not prove who they are: a failed login in place of an alert.
    Login,
    /// Records stopped.
    RecordingStopped,
    /// Records come late.
    RecordingLate,
}

/// Words of one kind, each by its label: what records need to read one back.
pub trait Vocabulary: Copy {
    /// Kebab-case, stable: what records, the log and metrics carry.
    fn label(self) -> &'static str;

    /// What stands behind this label.
    fn labelled(label: &str) -> Option<Self>;
}

/// Of what nobody is told but in records.
pub(crate) const UNTOLD: Word =
    Word { label: "", what: "", look: "", answer: Answer::Silent, alert: Alert::No };

/// Declares an enum, each variant with its [`Word`]: label, what happened, what to look at, and, where somebody else is told
/// than who reads records, answer and alert.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident {
            $(
                $(#[$note:meta])*
                $variant:ident $({ $($(#[$said:meta])* $field:ident: $kind:ty),+ })? =
                    $label:literal, $what:literal, $look:literal $(, $answer:expr, $alert:ident)?;
            )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$note])* #[doc = concat!("`", $label, "`: ", $what, ".")] $variant $({ $($(#[$said])* $field: $kind),+ })?, )+
        }

        impl $name {
            /// Every word of these, in the order of their variants.
            #[allow(clippy::needless_update)]
            pub const WORDS: &'static [$crate::vocabulary::Word] = &[
                $( $crate::vocabulary::Word {
                    label: $label,
                    what: $what,
                    look: $look,
                    $( answer: $answer, alert: $crate::vocabulary::Alert::$alert, )?
                    ..$crate::vocabulary::word::UNTOLD
                }, )+
            ];

            /// Every variant, in order; what an upstream said stands as zeros.
            pub const ALL: &'static [Self] = &[ $( Self::$variant $({ $($field: 0),+ })?, )+ ];

            /// Kebab-case, stable: what records, the log and metrics carry.
            pub const fn label(self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $label, )+
                }
            }

            /// What stands behind this label.
            pub fn of(label: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.label() == label)
            }

            /// What is said of it.
            pub fn word(self) -> &'static $crate::vocabulary::Word {
                #[allow(clippy::enum_variant_names)]
                enum Index { $( $variant, )+ }
                let index = match self {
                    $( Self::$variant { .. } => Index::$variant as usize, )+
                };
                &Self::WORDS[index]
            }
        }

        impl $crate::vocabulary::Vocabulary for $name {
            fn label(self) -> &'static str {
                Self::label(self)
            }

            fn labelled(label: &str) -> Option<Self> {
                Self::of(label)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.label())
            }
        }
    };
}
