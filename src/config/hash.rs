//! One small hash that never changes: OpenClaw derives a profile's port from it, and the name of a short
//! socket folder must be the same for an old and a new Lifeguard.

/// 32-bit FNV-1a.
pub(super) fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_agrees_with_the_published_vectors() {
        assert_eq!(super::fnv1a(b""), 0x811c_9dc5);
        assert_eq!(super::fnv1a(b"foobar"), 0xbf9c_f968);
    }
}
