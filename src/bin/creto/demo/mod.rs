//! `creto demo`: real nodes in separate processes, checked and measured.
//!
//! The demonstration starts this program again, once for each node, with the hidden command
//! `demo-node`, and talks to those processes over their standard input and output ([`control`]).
//! Each file in [`steps`] measures one thing and gives one [`row::Row`].

mod child;
mod control;
// What the example shows is what is demonstrated.
#[path = "../../../../examples/dag/mod.rs"]
mod dag;
mod error;
mod fleet;
mod progress;
mod row;
mod steps;
mod worker;

use clap::Args;

use self::fleet::Fleet;
use self::progress::Progress;
use self::row::Report;
use self::steps::{Sizes, Stage};
use crate::failure::Failure;
use crate::stop::Stop;

pub(crate) use error::DemoError;
pub(crate) use worker::DemoNode;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Nodes, each in a process of its own.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=32))]
    nodes: u16,
    /// Nodes that find each other, each in a process of its own, beside those.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(2..=64))]
    discovery_nodes: u16,
    /// Print the rows as JSON, one object a line, and nothing else.
    #[arg(long)]
    json: bool,
    /// Seed of the workload: which parents vertices name, and which are withheld from whom.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// A tenth of the work or less: to see that everything runs, not to compare figures.
    #[arg(long)]
    quick: bool,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen().map_err(Failure::Runtime)?;
        let (mut fleet, mut strangers) = (Fleet::new(), Fleet::new());
        let mut report = Report::new(self.json);
        let outcome = tokio::select! {
            outcome = self.measure(&mut fleet, &mut strangers, &mut report) => outcome,
            () = stop.requested() => Err(Failure::Interrupted),
        };
        // Whatever happened: no process is left behind, and what was measured is shown.
        fleet.stop().await;
        strangers.stop().await;
        report.finish()?;
        outcome?;
        if report.all_pass() {
            Ok(())
        } else {
            Err(DemoError::TargetMissed.into())
        }
    }

    async fn measure(
        &self,
        fleet: &mut Fleet,
        strangers: &mut Fleet,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let progress = Progress::new();
        fleet.start(self.nodes, &progress).await?;
        let sizes = if self.quick {
            Sizes::QUICK
        } else {
            Sizes::FULL
        };
        let mut stage = Stage {
            fleet,
            sizes,
            seed: self.seed,
            progress: &progress,
        };
        report.add(steps::connect::measure(&mut stage).await?)?;
        report.add(steps::round_trip::measure(&mut stage).await?)?;
        report.add(steps::direct_messages::measure(&mut stage).await?)?;
        steps::gossip::subscribe(&mut stage).await?;
        report.add(steps::dag::measure(&mut stage).await?)?;
        let rows = steps::gossip::deliver(&mut stage).await?;
        rows.into_iter().try_for_each(|row| report.add(row))?;
        report.add(steps::gossip::flood(&mut stage).await?)?;
        // The others would only take their time.
        fleet.stop().await;
        strangers
            .start_apart(self.discovery_nodes, &progress)
            .await?;
        let rows = steps::discovery::measure(strangers, &progress).await?;
        rows.into_iter().try_for_each(|row| report.add(row))
    }
}
