//! Whether every node ends with every vertex, although some were published by nobody.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Holding, Reply};
use super::super::dag::{VertexId, digest_of};
use super::super::row::{Row, Target, Unit, Value};
use super::Stage;

/// For making and publishing: 1 000 vertices take 2 s by their pace.
const PRODUCE_PATIENCE: Duration = Duration::from_secs(60);

/// For fetching what is missing at the end.
const SETTLE_PATIENCE: Duration = Duration::from_secs(20);

/// A node answers by then, whether it holds everything or not.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// All nodes make vertices at once. A vertex is lost if a node does not hold it in the end.
pub(crate) async fn measure(stage: &mut Stage<'_>) -> Result<Row, DemoError> {
    let (ids, withheld) = produce(stage).await?;
    let holdings = settle(stage, ids.len()).await?;
    let fetched: u64 = holdings.iter().map(|holding| holding.fetched).sum();
    let lost = holdings.iter().map(|holding| lost_by(holding, &ids)).sum();
    if lost == 0 && (withheld == 0 || fetched == 0) {
        return Err(DemoError::NothingFetched);
    }
    Ok(Row {
        name: "dag_vertices_lost",
        value: Value::Count(lost),
        unit: Unit::Vertices,
        target: Target::AtMost(0),
    })
}

/// The ids of all vertices made, and how many were not published.
async fn produce(stage: &mut Stage<'_>) -> Result<(Vec<VertexId>, u64), DemoError> {
    let vertices = stage.sizes.vertices;
    let seeds = (0_u64..).map(|node| stage.seed.wrapping_add(node << 32));
    stage.progress.begin("making vertices", vertices.into());
    for (member, seed) in stage.fleet.members().iter_mut().zip(seeds) {
        member
            .child
            .tell(&Command::Produce { vertices, seed })
            .await?;
    }
    let mut all = Vec::new();
    let mut withheld_in_all = 0;
    for member in stage.fleet.members() {
        let reply = member.child.reply(PRODUCE_PATIENCE, stage.progress).await?;
        let Reply::Produce { ids, withheld } = reply else {
            return Err(member.child.other_reply());
        };
        for id in ids {
            all.push(id.parse().map_err(|_| member.child.other_reply())?);
        }
        withheld_in_all += withheld;
    }
    Ok((all, withheld_in_all))
}

async fn settle(stage: &mut Stage<'_>, vertices: usize) -> Result<Vec<Holding>, DemoError> {
    stage.progress.begin("settling", stage.fleet.len() as u64);
    let patience_ms = u64::try_from(SETTLE_PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let command = Command::Settle {
        vertices,
        patience_ms,
    };
    for member in stage.fleet.members() {
        member.child.tell(&command).await?;
    }
    let mut holdings = Vec::new();
    for member in stage.fleet.members() {
        match member.child.reply(ANSWER_PATIENCE, stage.progress).await? {
            Reply::Settle(holding) => holdings.push(holding),
            _ => return Err(member.child.other_reply()),
        }
        stage.progress.set(holdings.len() as u64);
    }
    Ok(holdings)
}

/// Vertices that a node lacks. A node that holds others than those made, by the digest, has lost
/// one at least.
fn lost_by(holding: &Holding, made: &[VertexId]) -> u64 {
    if holding.digest == digest_of(made.iter().copied()).to_string() {
        return 0;
    }
    let missing = made.len().saturating_sub(holding.vertices).max(1);
    u64::try_from(missing).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> VertexId {
        VertexId::from_bytes([number; 32])
    }

    fn holding(ids: &[VertexId]) -> Holding {
        Holding {
            vertices: ids.len(),
            waiting: 0,
            fetched: 0,
            digest: digest_of(ids.iter().copied()).to_string(),
        }
    }

    #[test]
    fn a_node_that_holds_what_was_made_has_lost_nothing() {
        let made = [id(2), id(1)];
        assert_eq!(lost_by(&holding(&[id(1), id(2)]), &made), 0);
    }

    #[test]
    fn missing_and_foreign_vertices_count_as_lost() {
        let made = [id(1), id(2), id(3)];
        assert_eq!(lost_by(&holding(&[id(1)]), &made), 2);
        assert_eq!(lost_by(&holding(&[id(1), id(2), id(9)]), &made), 1);
        assert_eq!(lost_by(&holding(&[id(1), id(2), id(3), id(9)]), &made), 1);
    }
}
