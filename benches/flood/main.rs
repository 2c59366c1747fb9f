//! A node under attack: ten forged first flights for each handshake that this machine can do, then
//! a thousand half-open handshakes from one network, while honest nodes go on dialling.
//!
//! Real time over the simulator's in-memory network, so that sources can be forged. Everything —
//! attackers, honest diallers, the network and the node — shares the machine, and every figure is
//! judged against one of the same run.
//!
//! `cargo bench --features sim --bench flood [-- --json]`; exit status 1 if a row fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock"
)]

mod floor;
mod forged;
mod half_open;
mod honest;
mod memory;
mod report;
mod scene;

use std::process::ExitCode;
use std::time::Duration;

use forged::Forged;
use half_open::HalfOpen;
use honest::{Diallers, Dials};
use memory::Watch;
use report::{Report, Target};
use scene::Scene;

/// Long enough for a thousand honest dials: their p99 is the tenth slowest.
const SPAN: Duration = Duration::from_secs(10);

/// Honest dials a second: what a node of a large network sees, and a tenth of what it can do.
const HONEST_PER_SECOND: u32 = 100;

/// Forged first flights for each handshake a second of the node's capacity.
const FLOOD_FACTOR: f64 = 10.0;

/// Half-open handshakes tried from one network.
const HALF_OPEN: u32 = 1_000;

/// All handshakes that the limits admit at once are 512 times 61 KiB = 31 MiB of connections; the
/// node's own share of one is at most 16 KiB = 8 MiB; sockets buffer 4 MiB in the simulator.
const MAX_GROWTH_MIB: f64 = 43.0;

/// The same honest dials without an attack.
#[derive(Debug)]
struct Idle {
    dials: Dials,
    /// Processor time of the whole process meanwhile.
    busy: Duration,
}

fn main() -> ExitCode {
    let json = std::env::args().any(|argument| argument == "--json");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut report = Report::new(json);
    runtime.block_on(run(&mut report));
    if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(report: &mut Report) {
    let scene = Scene::new();
    let diallers = Diallers::new(&scene);
    let capacity = capacity(report, &scene, &diallers).await;
    let watch = Watch::start(&scene);
    let dials = diallers.dial_steadily(HONEST_PER_SECOND, SPAN).await;
    let idle = Idle {
        dials,
        busy: watch.stop().busy,
    };
    report.info("idle_dials_percent", idle.dials.percent(), "%");
    report.info("idle_dial_p50_ms", idle.dials.millis(0.50), "ms");
    report.info("idle_dial_p99_ms", idle.dials.millis(0.99), "ms");
    let cpu = idle.busy.as_secs_f64() * 1e6 / idle.dials.count();
    report.info("idle_cpu_us_per_dial", cpu, "us");
    scene.until_idle().await;
    forged_first_flights(report, &scene, &diallers, &idle, capacity).await;
    half_open_network(report, &scene, &diallers, &idle).await;
}

/// Handshakes a second, both ends of each on this machine.
async fn capacity(report: &mut Report, scene: &Scene, diallers: &Diallers) -> f64 {
    // Once unmeasured: caches fill, threads start.
    diallers
        .dial_closely(scene, 16, Duration::from_secs(1))
        .await;
    let mut most = 0.0_f64;
    // With 64 unfinished ones the node would begin to ask for a Retry.
    for parallel in [1, 16, 32, 48] {
        let rate = diallers
            .dial_closely(scene, parallel, Duration::from_secs(2))
            .await;
        report.info(&format!("handshakes_per_s_{parallel}_at_once"), rate, "/s");
        most = most.max(rate);
    }
    most
}

async fn forged_first_flights(
    report: &mut Report,
    scene: &Scene,
    diallers: &Diallers,
    idle: &Idle,
    capacity: f64,
) {
    let rate = FLOOD_FACTOR * capacity;
    let forged = Forged::prepare(scene, rate, SPAN).await;
    report.info("quinn_ignore_us", floor::ignored(&forged), "us");
    report.info("quinn_retry_us", floor::retried(&forged), "us");
    let watch = Watch::start(scene);
    let (sent_per_second, dials) = tokio::join!(
        forged.send(scene, rate, SPAN),
        diallers.dial_steadily(HONEST_PER_SECOND, SPAN)
    );
    let seen = watch.stop();
    let left = scene.until_idle().await;
    let (total, worst) = forged.amplification(scene);
    report.row(
        "flood_first_flights_per_handshake",
        sent_per_second / capacity,
        "x",
        Target::AtLeast(9.9),
    );
    report.info(
        "flood_initial_packets_per_s",
        sent_per_second * forged.datagrams_each(),
        "/s",
    );
    report.info(
        "flood_packets_unread_percent",
        forged.unread_percent(scene),
        "%",
    );
    report_dials(report, "flood", &dials, idle);
    report.row(
        "flood_bytes_out_per_byte_in",
        total,
        "x",
        Target::AtMost(3.0),
    );
    report.row(
        "flood_worst_address_out_per_in",
        worst,
        "x",
        Target::AtMost(3.0),
    );
    let cpu = seen.busy.saturating_sub(idle.busy).as_secs_f64() * 1e6;
    report.info("flood_cpu_us_per_first_flight", cpu / forged.count(), "us");
    report.info("flood_unconfirmed_most", f64::from(seen.unconfirmed), "");
    report.row(
        "flood_rss_growth_mib",
        seen.growth_mib(),
        "MiB",
        Target::AtMost(MAX_GROWTH_MIB),
    );
    report.row("flood_state_left", left, "", Target::AtMost(0.0));
}

async fn half_open_network(report: &mut Report, scene: &Scene, diallers: &Diallers, idle: &Idle) {
    let attack = HalfOpen::prepare(scene, HALF_OPEN);
    let watch = Watch::start(scene);
    let ((), neighbour, dials) = tokio::join!(
        attack.run(scene, SPAN),
        attack.neighbour(SPAN),
        diallers.dial_steadily(HONEST_PER_SECOND, SPAN)
    );
    let seen = watch.stop();
    let left = scene.until_idle().await;
    report.info("half_open_tried", f64::from(HALF_OPEN), "");
    report.info("half_open_retries_answered", attack.retries_answered(), "");
    report_dials(report, "half_open", &dials, idle);
    report.info("half_open_neighbour_percent", neighbour.percent(), "%");
    report.info(
        "half_open_unconfirmed_most",
        f64::from(seen.unconfirmed),
        "",
    );
    report.row(
        "half_open_rss_growth_mib",
        seen.growth_mib(),
        "MiB",
        Target::AtMost(MAX_GROWTH_MIB),
    );
    report.row("half_open_state_left", left, "", Target::AtMost(0.0));
}

fn report_dials(report: &mut Report, attack: &str, dials: &Dials, idle: &Idle) {
    let name = |row: &str| format!("{attack}_{row}");
    report.row(
        &name("dials_percent"),
        dials.percent(),
        "%",
        Target::AtLeast(99.0),
    );
    report.info(&name("dial_p50_ms"), dials.millis(0.50), "ms");
    report.info(&name("dial_p99_ms"), dials.millis(0.99), "ms");
    let ratio = dials.millis(0.99) / idle.dials.millis(0.99);
    report.row(&name("dial_p99_to_idle"), ratio, "x", Target::AtMost(2.0));
}
