//! SHA-256 over the compression function of `sha2`.

use sha2::block_api::compress256;
use zeroize::Zeroize;

const BLOCK: usize = 64;
/// The bytes of a block that the length leaves to the message.
const BEFORE_LENGTH: usize = 56;

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of a text that comes in pieces. Whole blocks of a piece are hashed where they stand.
///
/// ```
/// use valetkey_core::crypto::Sha256;
///
/// let mut hash = Sha256::new();
/// hash.update("ab");
/// hash.update("c");
/// // FIPS 180-4, the example of one block.
/// assert_eq!(hash.finish()[..4], [0xba, 0x78, 0x16, 0xbf]);
/// ```
#[derive(Clone)]
pub struct Sha256 {
    state: [u32; 8],
    /// The bytes that wait for the rest of their block.
    block: [u8; BLOCK],
    /// Bytes taken so far.
    taken: u64,
}

impl Sha256 {
    /// Of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: INITIAL, block: [0; BLOCK], taken: 0 }
    }

    /// After one block whose effect is known: where HMAC begins.
    pub(super) const fn after_block(state: [u32; 8]) -> Self {
        Self { state, block: [0; BLOCK], taken: BLOCK as u64 }
    }

    /// Takes the next piece.
    #[inline]
    pub fn update(&mut self, text: &str) {
        self.update_bytes(text.as_bytes());
    }

    /// Takes the next piece.
    #[inline]
    pub fn update_bytes(&mut self, piece: &[u8]) {
        let filled = self.filled();
        self.taken = self.taken.wrapping_add(piece.len() as u64);
        let mut piece = piece;
        if filled > 0 {
            let room = self.block.get_mut(filled..).unwrap_or_default();
            let (head, rest) = piece.split_at_checked(room.len()).unwrap_or((piece, &[]));
            if let Some(room) = room.get_mut(..head.len()) {
                room.copy_from_slice(head);
            }
            if filled.saturating_add(head.len()) < BLOCK {
                return;
            }
            compress256(&mut self.state, core::slice::from_ref(&self.block));
            piece = rest;
        }
        let (whole, rest) = piece.as_chunks::<BLOCK>();
        if !whole.is_empty() {
            compress256(&mut self.state, whole);
        }
        if let Some(start) = self.block.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
    }

    /// The digest.
    #[must_use]
    #[inline]
    pub fn finish(mut self) -> [u8; 32] {
        self.complete()
    }

    /// The digest, after which nothing more can be taken. The state stays where it is: moving it right after it was written makes a processor wait.
    #[inline]
    pub(crate) fn complete(&mut self) -> [u8; 32] {
        let filled = self.filled();
        let bits = self.taken.wrapping_mul(8);
        if let Some([end, rest @ ..]) = self.block.get_mut(filled..) {
            *end = 0x80;
            rest.fill(0);
        }
        if filled >= BEFORE_LENGTH {
            compress256(&mut self.state, core::slice::from_ref(&self.block));
            self.block = [0; BLOCK];
        }
        if let Some(length) = self.block.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        compress256(&mut self.state, core::slice::from_ref(&self.block));
        bytes(&self.state)
    }

    pub(super) fn wipe(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }

    #[inline]
    const fn filled(&self) -> usize {
        (self.taken % BLOCK as u64) as usize
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// What was hashed may hold a session token.
impl core::fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Sha256(..)")
    }
}

/// What one block makes of the state in which every hash begins.
pub(super) fn first_block(block: &[u8; BLOCK]) -> [u32; 8] {
    let mut state = INITIAL;
    compress256(&mut state, core::slice::from_ref(block));
    state
}

/// The outer hash of HMAC: from a known state over a digest, which with its padding is one block.
#[inline]
pub(super) fn of_digest(mut state: [u32; 8], digest: &[u8; 32]) -> [u8; 32] {
    const BITS: [u8; 8] = ((BLOCK as u64 + 32) * 8).to_be_bytes();
    let mut block = [0; BLOCK];
    if let Some(start) = block.first_chunk_mut() {
        *start = *digest;
    }
    if let Some(end) = block.get_mut(32) {
        *end = 0x80;
    }
    if let Some(length) = block.last_chunk_mut() {
        *length = BITS;
    }
    compress256(&mut state, core::slice::from_ref(&block));
    bytes(&state)
}

#[inline]
fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (four, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use sha2::Digest as _;

    /// FIPS 180-4 and the examples of NIST's "Cryptographic Standards and Guidelines", one and two blocks, and a million times `a`.
    #[test]
    fn published_digests_come_out() {
        let million = "a".repeat(1_000_000);
        for (text, digest) in [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ] {
            let mut hash = Sha256::new();
            hash.update(text);
            assert_eq!(Some(hash.finish()), super::super::read_hex(digest));
        }
    }

    /// Every length around the ends of blocks and of the padding.
    #[test]
    fn every_length_agrees_with_the_public_interface() {
        let bytes: Vec<u8> = (0..300_u32).map(|n| n.to_le_bytes()[0]).collect();
        for length in 0..bytes.len() {
            let mut hash = Sha256::new();
            hash.update_bytes(&bytes[..length]);
            assert_eq!(hash.finish(), <[u8; 32]>::from(sha2::Sha256::digest(&bytes[..length])), "{length}");
        }
    }

    proptest! {
        #[test]
        fn pieces_agree_with_the_public_interface(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..12)) {
            let mut hash = Sha256::new();
            for piece in &pieces {
                hash.update_bytes(piece);
            }
            prop_assert_eq!(hash.finish(), <[u8; 32]>::from(sha2::Sha256::digest(pieces.concat())));
        }
    }
}
