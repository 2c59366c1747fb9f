//! What both sides of the comparison are made to do, by commands on the standard input: one line each,
//! and each is answered by a line. The end of the input ends the process; what fails is told as `error …`.

mod deliveries;
mod node;
mod pair;
mod single;
mod usage;

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

pub use deliveries::Deliveries;
pub use node::{Node, QUEUE, TOPIC};

use pair::Pair;
use single::Single;

/// Whatever ends a measurement early: it is told and not handled.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs nodes of one side, as the command line says: `single SIZE` or `pair SIZE`, with the bytes of a
/// message.
pub fn main<N: Node>() -> ExitCode {
    let served = serve::<N>();
    served.map_or_else(
        |error| {
            eprintln!("a worker could not go on: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn serve<N: Node>() -> Result<(), Failure> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["single", size] => {
            let single = Single::<N>::start(size.parse()?)?;
            say(&single.address())?;
            answer_all(|words| single.answer(words))
        }
        ["pair", size] => {
            let mut pair = Pair::<N>::start(size.parse()?)?;
            say("ready")?;
            answer_all(|words| pair.answer(words))
        }
        _ => Err("the command line is: single SIZE, or pair SIZE".into()),
    }
}

fn answer_all(mut answer: impl FnMut(&[&str]) -> Result<String, Failure>) -> Result<(), Failure> {
    for line in stdin().lock().lines() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        say(&answer(&words).unwrap_or_else(|error| format!("error {error}")))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Two threads, as the machines have on which the targets were set.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}
