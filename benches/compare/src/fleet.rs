//! Nodes in processes of their own.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::process::Process;
use crate::subjects::Side;

/// How long nothing may come to anybody before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the nodes are asked what came.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long all meshes may settle.
const SETTLING: Duration = Duration::from_secs(3);

/// Nodes that are all connected with each other. Dropping it ends them.
pub(crate) struct Fleet(Vec<Process>);

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_mib: f64,
}

impl Fleet {
    pub(crate) fn start(side: Side, nodes: usize, size: usize) -> Result<Self, Failure> {
        let mut fleet = Self(Vec::new());
        let mut addresses: Vec<String> = Vec::new();
        for _ in 0..nodes {
            let (mut process, own) = Process::start(side, "single", size)?;
            for address in &addresses {
                process.ask(&format!("dial {address}"))?;
            }
            addresses.push(own);
            fleet.0.push(process);
        }
        fleet.ask_all(&format!("wait {}", nodes - 1))?;
        sleep(SETTLING);
        Ok(fleet)
    }

    /// The first of the nodes publish at once, at so many messages a second each; fails if one falls
    /// behind.
    pub(crate) fn publish(
        &mut self,
        publishers: usize,
        messages: u64,
        per_second: f64,
    ) -> Result<(), Failure> {
        for (number, process) in self.0.iter_mut().take(publishers).enumerate() {
            process.say(&format!("publish {number} {messages} {per_second}"))?;
        }
        for process in self.0.iter_mut().take(publishers) {
            process.answer()?;
        }
        Ok(())
    }

    /// Waits until so many messages came to the nodes together, or nothing comes any more; how many did.
    pub(crate) fn wait_for(&mut self, messages: u64) -> Result<u64, Failure> {
        let (mut last, mut since) = (self.count()?, Instant::now());
        while last < messages && since.elapsed() < PATIENCE {
            sleep(LOOK_EVERY);
            let count = self.count()?;
            if count > last {
                (last, since) = (count, Instant::now());
            }
        }
        Ok(last)
    }

    pub(crate) fn used(&mut self) -> Result<Vec<Used>, Failure> {
        let answers = self.ask_all("used")?;
        let used = answers.iter().map(|answer| {
            let (cpu, resident) = answer.split_once(' ').ok_or("half an answer")?;
            Ok(Used {
                cpu_seconds: cpu.parse()?,
                resident_mib: resident.parse()?,
            })
        });
        used.collect()
    }

    fn count(&mut self) -> Result<u64, Failure> {
        let answers = self.ask_all("count")?;
        let mut sum = 0;
        for answer in answers {
            sum += answer.parse::<u64>()?;
        }
        Ok(sum)
    }

    fn ask_all(&mut self, command: &str) -> Result<Vec<String>, Failure> {
        for process in &mut self.0 {
            process.say(command)?;
        }
        self.0.iter_mut().map(Process::answer).collect()
    }
}
