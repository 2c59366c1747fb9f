use std::time::Duration;

use crate::transport::{TransportConfig, TransportConfigError};

#[test]
fn the_keep_alive_is_at_most_half_the_idle_timeout() {
    let check = |keep_alive_interval| {
        let config = TransportConfig {
            max_idle_timeout: Duration::from_secs(30),
            keep_alive_interval,
            ..TransportConfig::default()
        };
        config.validate()
    };
    let half = Duration::from_secs(15);
    let step = Duration::from_nanos(1);
    assert_eq!(check(half - step), Ok(()));
    assert_eq!(check(half), Ok(()));
    let refused = [half + step, Duration::ZERO];
    for interval in refused {
        assert_eq!(
            check(interval),
            Err(TransportConfigError::KeepAliveInterval(interval))
        );
    }
}
