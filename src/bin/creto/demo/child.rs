//! One process of the demonstration, seen from outside.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{self, ChildStdin, ChildStdout};
use tokio::time::{Instant, timeout, timeout_at};

use super::DemoError;
use super::control::{Command, Reply};
use super::progress::Progress;

/// How long a process may take to start its node, and to end once its input is closed: the
/// farewell of a node takes up to 3 s.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Child {
    number: usize,
    process: process::Child,
    /// Closed to tell the process to end.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts this program again as a node of `network`.
    pub(super) fn start(number: usize, network: &str) -> Result<Self, DemoError> {
        let mut command = process::Command::new(std::env::current_exe().map_err(DemoError::Start)?);
        command
            .args(["demo-node", "--network", network])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C at the terminal is for the demonstration, which ends its processes itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn().map_err(DemoError::Start)?;
        let ended = || DemoError::Ended { node: number };
        let output = process.stdout.take().ok_or_else(ended)?;
        Ok(Self {
            number,
            input: process.stdin.take(),
            output: BufReader::new(output).lines(),
            process,
        })
    }

    /// Waits for the node's own address.
    pub(super) async fn ready(&mut self) -> Result<(String, String), DemoError> {
        match self.next_reply(Instant::now() + PATIENCE, PATIENCE).await? {
            Reply::Ready { peer, address } => Ok((peer, address)),
            _ => Err(self.other_reply()),
        }
    }

    pub(super) async fn tell(&mut self, command: &Command) -> Result<(), DemoError> {
        let node = self.number;
        let mut line =
            serde_json::to_vec(command).map_err(|error| DemoError::Malformed { node, error })?;
        line.push(b'\n');
        let input = self.input.as_mut().ok_or(DemoError::Ended { node })?;
        input
            .write_all(&line)
            .await
            .map_err(|error| DemoError::Pipe { node, error })
    }

    /// The reply to the last command, at most after `patience`.
    pub(super) async fn reply(
        &mut self,
        patience: Duration,
        progress: &Progress,
    ) -> Result<Reply, DemoError> {
        let node = self.number;
        let deadline = Instant::now() + patience;
        loop {
            match self.next_reply(deadline, patience).await? {
                Reply::Progress { done } => progress.set(done),
                Reply::Failed { message } => return Err(DemoError::Node { node, message }),
                reply => return Ok(reply),
            }
        }
    }

    async fn next_reply(
        &mut self,
        deadline: Instant,
        patience: Duration,
    ) -> Result<Reply, DemoError> {
        let node = self.number;
        let silent = DemoError::Silent {
            node,
            seconds: patience.as_secs(),
        };
        let line = timeout_at(deadline, self.output.next_line())
            .await
            .map_err(|_| silent)?
            .map_err(|error| DemoError::Pipe { node, error })?
            .ok_or(DemoError::Ended { node })?;
        serde_json::from_str(&line).map_err(|error| DemoError::Malformed { node, error })
    }

    pub(super) const fn other_reply(&self) -> DemoError {
        DemoError::OtherReply { node: self.number }
    }

    /// Tells the process to end.
    pub(super) fn dismiss(&mut self) {
        self.input = None;
    }

    /// Waits until the process is gone and reaped; one that does not go is killed.
    pub(super) async fn gone(&mut self) {
        self.dismiss();
        if timeout(PATIENCE, self.process.wait()).await.is_err() {
            // An error says that it is gone already.
            _ = self.process.kill().await;
        }
    }
}
