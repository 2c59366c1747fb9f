use crate::wire::NetworkId;

#[test]
fn two_networks_have_nothing_in_common() {
    let (main, test) = (NetworkId::of("main"), NetworkId::of("test"));
    assert_ne!(main, test);
    assert_ne!(main.alpn(), test.alpn());
}

#[test]
fn the_alpn_is_the_prefix_and_the_first_half_of_the_id() {
    let alpn = NetworkId::from_bytes([0; 32]).alpn();
    assert_eq!(alpn, b"creto/1/aaaaaaaaaaaaaaaaaaaaaaaaaa");
    let mut bytes = [0; 32];
    bytes[15] = 1;
    assert_eq!(
        NetworkId::from_bytes(bytes).alpn(),
        b"creto/1/aaaaaaaaaaaaaaaaaaaaaaaaae"
    );
    bytes[16] = 1;
    assert_eq!(
        NetworkId::from_bytes(bytes).alpn(),
        b"creto/1/aaaaaaaaaaaaaaaaaaaaaaaaae"
    );
}
