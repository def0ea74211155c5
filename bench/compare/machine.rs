//! Where and with what a run took place.

use std::fmt;
use std::fs;
use std::process::Command;

pub struct Machine {
    pub lines: Vec<(&'static str, String)>,
}

impl Machine {
    pub fn here() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let lines = vec![
            ("Date", first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("Processor", format!("{}, {cores} cores", processor())),
            ("Kernel", first_line("uname", &["-sr"])),
            (
                "Load before",
                fs::read_to_string("/proc/loadavg")
                    .map_or_else(|_| String::new(), |loadavg| averages(&loadavg)),
            ),
            ("HAProxy", first_line("haproxy", &["-v"])),
            ("nginx", first_line("nginx", &["-v"])),
            ("DCMTK", first_line("storescu", &["--version"])),
            ("rustc", first_line("rustc", &["--version"])),
        ];
        Self { lines }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|(name, value)| writeln!(f, "{name:<12} {value}"))
    }
}

fn averages(loadavg: &str) -> String {
    loadavg.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| Some(line.split_once(':')?.1.trim().to_string())).unwrap_or_default()
}

/// Of standard output or, as nginx has it, of standard error.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return "not found".into() };
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    text.lines().next().unwrap_or_default().trim().to_string()
}
