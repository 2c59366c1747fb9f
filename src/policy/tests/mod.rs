mod backoff;
mod ip_group;
mod quota;
mod time;
mod token_bucket;
mod weight;
