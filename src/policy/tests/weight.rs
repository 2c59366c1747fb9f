use crate::policy::Weight;

#[test]
fn five_stream_faults_close_and_ten_ban() {
    let faults = |count| Weight::STREAM_FAULT.times(count);
    assert!(faults(4) < Weight::CLOSE_AT);
    assert_eq!(faults(5), Weight::CLOSE_AT);
    assert!(faults(9) < Weight::BAN_AT);
    assert_eq!(faults(10), Weight::BAN_AT);
}

#[test]
fn weights_saturate() {
    assert_eq!(Weight(u16::MAX) + Weight(1), Weight(u16::MAX));
    assert_eq!(Weight(2).times(u16::MAX), Weight(u16::MAX));
}
