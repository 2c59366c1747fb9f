//! `creto id`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::key_file;

use crate::failure::Failure;
use crate::output::print_line;

#[derive(Debug, Args)]
pub(crate) struct Id {
    /// A key file made by `creto keygen`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Id {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let keypair = key_file::read(&self.file, Arc::new(AwsLc))?;
        print_line(keypair.peer_id())
    }
}
