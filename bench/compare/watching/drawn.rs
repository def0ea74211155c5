//! How soon a browser has drawn the page, and what it was sent for that.

use std::path::Path;

use crate::browser::{Browser, tunnel};
use crate::targets::{Bound, Target};

/// How often the page is opened; each time by a browser that has nothing of it.
const OPENED: usize = 5;

/// When something was on the screen, in milliseconds.
const FIRST: &str = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";
/// When the largest part of the first screen was.
const LARGEST: &str = "return new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime)) \
                       .observe({ type: 'largest-contentful-paint', buffered: true }))";
/// Bytes of all that had come by then, without heads.
const BYTES: &str = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')] \
                     .reduce((sum, one) => sum + one.encodedBodySize, 0)";

pub fn run(socket: &Path) -> Vec<Target> {
    let (mut first, mut largest, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..OPENED {
        let browser = Browser::start();
        browser.open(&format!("http://{}/", tunnel(socket.to_owned())));
        browser.until("document.querySelector('#connected tbody tr')");
        first.extend(browser.run(FIRST).as_f64());
        largest.extend(browser.run(LARGEST).as_f64());
        bytes.extend(browser.run(BYTES).as_f64().map(|bytes| bytes / 1e3));
    }
    vec![
        Target::new("first drawing, ms", super::median(&mut first), Bound::AtMost(300.0)),
        Target::told("largest drawing of the first screen, ms", super::median(&mut largest)),
        Target::told("all that was sent until the associations were drawn, KB", super::median(&mut bytes)),
    ]
}
