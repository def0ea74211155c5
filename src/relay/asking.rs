//! The crosswalk as one association asks it: what it logs meanwhile is about that association.

use std::sync::Arc;

use tracing::Span;

use crate::crosswalk::{Crosswalk, NotStored};
use crate::rewrite::{Correspondence, Correspondences, Kind, Unavailable};

/// A crosswalk, and the association's place in the log.
pub(crate) struct Asking {
    pub crosswalk: Arc<Crosswalk>,
    pub span: Span,
}

impl Asking {
    /// As [`Crosswalk::store`], which logs for everybody who waits.
    pub(super) async fn store(&self, made: Vec<Correspondence>) -> Result<(), NotStored> {
        self.crosswalk.store(made).await
    }
}

impl Correspondences for Asking {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        self.span.in_scope(|| self.crosswalk.pseudonym_of(kind, real))
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        self.span.in_scope(|| self.crosswalk.behind(kind, pseudonym))
    }
}

#[cfg(test)]
mod tests {
    use crate::scratch::Scratch;
    use std::sync::Arc;

    use zeroize::Zeroizing;

    use super::Asking;
    use crate::crosswalk::{Crosswalk, Secret};
    use crate::rewrite::{Correspondences, Kind, Unavailable};

    #[test]
    fn a_crosswalk_that_cannot_be_read_says_for_whom() {
        let folder = Scratch::new();
        let path = folder.path().join("crosswalk");
        let crosswalk = Crosswalk::open(&path, &Secret::new(Zeroizing::new(vec![1; 48]))).unwrap();
        let damage = rusqlite::Connection::open(&path).unwrap();
        damage.execute_batch("DROP TABLE correspondence").unwrap();
        let log = crate::logged::during(|| {
            let span = tracing::info_span!("association", "calling-ae-title" = "CT1");
            let asking = Asking { crosswalk: Arc::new(crosswalk), span };
            assert_eq!(asking.pseudonym_of(Kind::Uid, b"1.2"), Err(Unavailable));
            assert_eq!(asking.behind(Kind::Uid, b"1.2"), Err(Unavailable));
        });
        assert_eq!(log.matches("association{calling-ae-title=\"CT1\"}").count(), 2, "{log}");
    }
}
