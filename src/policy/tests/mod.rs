mod backoff;
mod ip_group;
mod probe_budget;
mod quota;
mod time;
mod token_bucket;
mod weight;
