//! Which faults count against a peer, and which never do.
