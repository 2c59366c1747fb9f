//! What survives a restart.

use std::path::PathBuf;
use std::time::Duration;

use cretoai_network::discovery::StateFault;
use cretoai_network::node::P2PConfig;
use cretoai_network::services::discovery::DiscoveryHappened;
use tempfile::TempDir;
use tokio::time::sleep;

use super::support::{contacts, entering, network, waiting};
use crate::support::nodes::{in_virtual_time, peer, quiet_net, spawn_with};

fn kept_in(folder: &TempDir, config: P2PConfig) -> P2PConfig {
    P2PConfig {
        data_dir: Some(folder.path().to_owned()),
        ..config
    }
}

fn state_file(folder: &TempDir) -> PathBuf {
    folder.path().join(format!("{}.discovery", peer(9)))
}

#[test]
fn contacts_and_publications_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    in_virtual_time(async {
        let net = quiet_net(81);
        let nodes = network(&net, 8).await;
        let first = spawn_with(&net, 9, kept_in(&folder, entering()));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(contacts(&first).await, 8);
        let put = first.discovery().put_immutable("kept").await.unwrap();
        first.discovery().advertise_role("keeper").await.unwrap();
        first.shutdown().await;
        assert!(state_file(&folder).exists());
        drop(first);
        // Without a seed: it knows whom to ask.
        let again = spawn_with(&net, 9, kept_in(&folder, waiting()));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(contacts(&again).await, 8);
        let stats = again.discovery().stats().await.unwrap();
        assert_eq!(stats.publications, 2);
        let found = nodes[3].discovery().find_role("keeper", 1).await.unwrap();
        assert_eq!(found[0].peer_id, peer(9));
        nodes[3].discovery().get_immutable(put.key).await.unwrap();
    });
}

#[test]
fn the_state_is_saved_from_time_to_time() {
    let folder = tempfile::tempdir().unwrap();
    in_virtual_time(async {
        let net = quiet_net(82);
        let _nodes = network(&net, 2).await;
        let _node = spawn_with(&net, 9, kept_in(&folder, entering()));
        sleep(Duration::from_secs(299)).await;
        assert!(!state_file(&folder).exists());
        sleep(Duration::from_secs(10)).await;
        assert!(state_file(&folder).exists());
    });
}

#[test]
fn a_corrupt_file_is_set_aside_and_the_node_starts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(state_file(&folder), "no state").unwrap();
    in_virtual_time(async {
        let net = quiet_net(83);
        let _nodes = network(&net, 3).await;
        let node = spawn_with(&net, 9, kept_in(&folder, entering()));
        let mut events = node.discovery().events().unwrap();
        let aside = folder.path().join(format!("{}.discovery.corrupt", peer(9)));
        let told = DiscoveryHappened::StateSetAside {
            file: aside.clone(),
            fault: StateFault::NotAState,
        };
        assert_eq!(events.next().await.unwrap().unwrap().what, told);
        assert_eq!(std::fs::read(aside).unwrap(), b"no state");
        sleep(Duration::from_secs(3)).await;
        assert_eq!(contacts(&node).await, 3);
        node.shutdown().await;
        assert!(state_file(&folder).exists());
    });
}
