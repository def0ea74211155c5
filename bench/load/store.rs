//! C-STORE as fast as the peer takes it: every byte but the message ID and the instance UID is made beforehand.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::association::Association;
use crate::command::Command;
use crate::connection::Target;
use crate::object::Object;
use crate::report::Figures;
use crate::upper::{self, Request};

pub struct Plan<'a> {
    pub target: &'a Target,
    pub calling: &'a str,
    pub called: &'a str,
    pub object: &'a Object,
    pub objects: usize,
    pub associations: usize,
    /// The longest P-DATA-TF body to send, lowered to what the acceptor asks for.
    pub maximum_length: u32,
}

impl Plan<'_> {
    fn request(&self) -> Request {
        let request = Request::new(self.calling, self.called).maximum_length(self.maximum_length);
        request.context(&self.object.sop_class, &[&self.object.transfer_syntax])
    }

    /// Shares the objects out over the associations, all at once; each waits for one response before the next.
    pub fn run(&self) -> io::Result<Figures> {
        let mut associations = Vec::new();
        for _ in 0..self.associations {
            associations.push(Association::open(self.target, &self.request())?);
        }
        let shortest = associations.iter().map(|association| association.maximum).min().unwrap_or_default();
        let maximum = shortest.min(self.maximum_length as usize);
        let data = &upper::p_data(1, 0, &self.object.data_set, maximum);
        let start = Instant::now();
        let shares: Vec<io::Result<Vec<Duration>>> = std::thread::scope(|scope| {
            let share = |index: usize| {
                self.objects / self.associations + usize::from(index < self.objects % self.associations)
            };
            let started: Vec<_> = (associations.into_iter().enumerate())
                .map(|(index, association)| scope.spawn(move || self.store(association, data, share(index))))
                .collect();
            started.into_iter().map(|thread| thread.join().expect("no panic in a worker")).collect()
        });
        let mut figures = Figures { mode: "store", wall: start.elapsed(), ..Figures::default() };
        for latencies in shares {
            figures.latencies.extend(latencies?);
        }
        figures.count = figures.latencies.len();
        figures.bytes = (figures.count * self.object.data_set.len()) as u64;
        Ok(figures)
    }

    fn store(&self, mut association: Association, data: &[u8], objects: usize) -> io::Result<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(objects);
        for index in 0..objects {
            let request =
                Command::c_store_rq(index as u16, &self.object.sop_class, &self.object.sop_instance);
            let command = upper::p_data(1, upper::COMMAND, &request.encode(), association.maximum);
            let start = Instant::now();
            association.stream.write_all(&command)?;
            association.stream.write_all(data)?;
            association.stream.flush()?;
            let status = association.status()?;
            latencies.push(start.elapsed());
            if status != 0 {
                return Err(io::Error::other(format!("C-STORE answered with status {status:04X}H")));
            }
        }
        association.release()?;
        Ok(latencies)
    }
}
