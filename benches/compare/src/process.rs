//! Nodes of one side in a process of their own, which answers commands.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failure;
use crate::subjects::Side;

/// Dropping it ends it.
pub(crate) struct Process {
    child: Child,
    commands: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts one for messages of so many bytes; with its first line, told when it is ready.
    pub(crate) fn start(side: Side, nodes: &str, size: usize) -> Result<(Self, String), Failure> {
        let mut command = Command::new(side.program()?);
        command.args([nodes, &size.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let commands = child.stdin.take();
        let answers = child.stdout.take().ok_or("a process without output")?;
        let mut process = Self {
            child,
            commands,
            answers: BufReader::new(answers).lines(),
        };
        let first = process.answer()?;
        Ok((process, first))
    }

    pub(crate) fn ask(&mut self, command: &str) -> Result<String, Failure> {
        self.say(command)?;
        self.answer()
    }

    pub(crate) fn say(&mut self, command: &str) -> Result<(), Failure> {
        let commands = self.commands.as_mut().ok_or("a process without input")?;
        Ok(writeln!(commands, "{command}")?)
    }

    pub(crate) fn answer(&mut self) -> Result<String, Failure> {
        let answer = self.answers.next().ok_or("a process has ended")??;
        match answer.strip_prefix("error ") {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input ends it; one that does not notice is ended.
        self.commands = None;
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
