//! CPU time of one thread of this process, from /proc (Linux).

use std::fs;
use std::time::Duration;

/// Of the thread that asks.
pub fn of_this_thread() -> Duration {
    read("/proc/thread-self/schedstat")
}

/// Of all threads of this name.
pub fn of_threads(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("the threads of this process");
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        let path = task.expect("a thread").path();
        let named = fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name);
        named.then(|| read(&path.join("schedstat").to_string_lossy()))
    };
    tasks.filter_map(of_task).sum()
}

/// The first figure: nanoseconds on a CPU.
fn read(schedstat: &str) -> Duration {
    let text = fs::read_to_string(schedstat).expect("schedstat");
    Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds"))
}
