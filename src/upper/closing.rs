//! The end of an association (PS3.8 §7.2, §7.3).

use std::time::Duration;

use super::association::{Association, Role, State};
use super::error::{Doing, Error};
use super::incoming::Part;
use super::lingering::LINGER;
use super::transport::Transport;
use crate::wire::pdu::{Abort, RELEASE_RP, RELEASE_RQ};

/// How long a peer may take to close that has nothing left to say.
const SOON: Duration = Duration::from_millis(200);

impl<T: Transport> Association<T> {
    /// Releases the association. What still comes of messages is passed over.
    ///
    /// # Errors
    /// No A-RELEASE-RP in time or at all; the association has been aborted then. A data set that has begun and not ended.
    pub async fn release(mut self) -> Result<(), Error> {
        match self.state {
            State::Open => {}
            State::Over => return Err(Error::Over),
            State::InsideDataSet => {
                return Err(self.fail(Error::Unsendable("a data set has begun and not ended".into())).await);
            }
        }
        let (doing, patience) = (Doing::Releasing, self.deadlines.release);
        let exchange = tokio::time::timeout(patience, self.exchange_release()).await;
        match exchange.unwrap_or(Err(Error::Silent { doing, patience })) {
            Ok(()) => {
                // It is for the requestor to close (PS3.8 Table 9-10, AR-3), and nothing is left to be read.
                self.channel.close(SOON).await;
                Ok(())
            }
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// Both may ask at once (PS3.8 §9.2.3, Sta9 to Sta12): the requestor answers first, the acceptor once it was answered.
    async fn exchange_release(&mut self) -> Result<(), Error> {
        let mut collided = false;
        self.writing.begin();
        self.channel.write_pdu(&RELEASE_RQ, &mut self.writing).await?;
        loop {
            match self.part_within(Doing::Releasing, self.deadlines.release).await? {
                Part::ReleaseRq if self.role == Role::Requestor => self.say_released().await?,
                Part::ReleaseRq => collided = true,
                Part::ReleaseRp if collided => return self.say_released().await,
                Part::ReleaseRp => return Ok(()),
                Part::Abort(abort) => return Err(Error::Aborted { doing: Doing::Releasing, abort }),
                // PS3.8 Table 9-10, AR-6: it had been on its way.
                Part::Command { .. } | Part::Data { .. } => {}
            }
        }
    }

    /// The peer asked for it.
    pub(super) async fn answer_release(&mut self) -> Result<(), Error> {
        self.say_released().await?;
        self.state = State::Over;
        self.channel.await_close(self.deadlines.release).await;
        Ok(())
    }

    async fn say_released(&mut self) -> Result<(), Error> {
        self.writing.begin();
        self.channel.write_pdu(&RELEASE_RP, &mut self.writing).await
    }

    /// Aborts the association, as far as the connection still carries it.
    pub async fn abort(mut self, abort: Abort) {
        if self.state != State::Over {
            self.channel.last_word(&abort.to_pdu()).await;
            self.channel.close(LINGER).await;
        }
    }
}
