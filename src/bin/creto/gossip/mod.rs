//! Commands that take part in a topic.

mod publish;
mod subscribe;

pub(crate) use publish::Publish;
pub(crate) use subscribe::Subscribe;
