//! Processes under test. Every wait has a deadline, and no process outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For anything that a process has to do: a busy machine runs several builds beside the tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A process that runs.
pub(super) struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Option<thread::JoinHandle<String>>,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `None` if it was killed.
    pub(super) status: Option<i32>,
    /// Lines of standard output that were not taken before.
    pub(super) lines: Vec<String>,
    pub(super) errors: String,
}

impl Running {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_creto"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                _ = sender.send(line);
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            child,
            lines,
            errors: Some(errors),
        }
    }

    /// The next line that begins with `head`; others are passed over.
    pub(super) fn line(&self, head: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line begins with {head}"));
            if line.starts_with(head) {
                return line;
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    #[cfg(unix)]
    pub(super) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end.
    pub(super) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < deadline, "the process does not end");
            thread::sleep(Duration::from_millis(5));
        };
        Ended {
            status,
            lines: self.lines.iter().collect(),
            errors: self.errors.take().unwrap().join().unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub(super) fn run(arguments: &[&str]) -> Ended {
    Running::start(arguments).end()
}

/// A key file in `directory`, and its peer id.
pub(super) fn key(directory: &TempDir, name: &str) -> (PathBuf, String) {
    let path = directory.path().join(name);
    let made = run(&["keygen", "--out", text(&path)]);
    assert_eq!(made.status, Some(0), "{}", made.errors);
    (path, made.lines.concat())
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
