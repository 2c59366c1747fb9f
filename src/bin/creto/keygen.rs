//! `creto keygen`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::{Keypair, key_file};

use crate::failure::Failure;
use crate::output::print_line;

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Where the key goes; a file that exists is never overwritten.
    #[arg(long, value_name = "FILE", default_value = "creto.pem")]
    out: PathBuf,
}

impl Keygen {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let keypair = Keypair::generate(Arc::new(AwsLc))?;
        key_file::write(&self.out, &keypair)?;
        print_line(keypair.peer_id())
    }
}
