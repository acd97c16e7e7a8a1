//! What no signer can leave out, with everything else prepared: SHA-256 of the canonical request, HMAC-SHA-256 of the string to sign from the kept
//! key state, hex of both, one copy of the URL.

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::check::Stages;
use crate::columns::Signer;

/// By the public interface of `sha2` and `hmac`: the interface that valetkey signs through.
pub struct PublicApi {
    canonical_request: String,
    string_to_sign: Vec<u8>,
    key: Hmac<Sha256>,
    url: String,
}

impl PublicApi {
    pub fn new(stages: &Stages) -> Self {
        Self {
            canonical_request: stages.canonical_request.clone(),
            string_to_sign: stages.string_to_sign.clone().into_bytes(),
            key: Hmac::new_from_slice(&stages.signing_key).expect("HMAC takes every key"),
            url: stages.unsigned_url.clone(),
        }
    }
}

impl Signer for PublicApi {
    type Signed = String;

    fn sign(&self, _index: usize) -> String {
        let digest = Sha256::digest(black_box(self.canonical_request.as_bytes()));
        let mut text = [0_u8; 192];
        let text = &mut text[..self.string_to_sign.len()];
        text.copy_from_slice(&self.string_to_sign);
        push_digest(text, &digest.into());
        let mut state = black_box(&self.key).clone();
        state.update(text);
        finish(&self.url, &state.finalize().into_bytes().into())
    }

    fn url(signed: &String) -> String {
        signed.clone()
    }
}

/// By the compression function alone, padding written here.
pub struct Blocks {
    canonical_request: String,
    string_to_sign: Vec<u8>,
    inner: [u32; 8],
    outer: [u32; 8],
    url: String,
}

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

impl Blocks {
    pub fn new(stages: &Stages) -> Self {
        let state = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(stages.signing_key).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        Self {
            canonical_request: stages.canonical_request.clone(),
            string_to_sign: stages.string_to_sign.clone().into_bytes(),
            inner: state(0x36),
            outer: state(0x5c),
            url: stages.unsigned_url.clone(),
        }
    }
}

impl Signer for Blocks {
    type Signed = String;

    fn sign(&self, _index: usize) -> String {
        let digest = hash(INITIAL, 0, black_box(self.canonical_request.as_bytes()));
        let mut text = [0_u8; 192];
        let text = &mut text[..self.string_to_sign.len()];
        text.copy_from_slice(&self.string_to_sign);
        push_digest(text, &digest);
        let inner = hash(*black_box(&self.inner), 1, text);
        finish(&self.url, &hash(*black_box(&self.outer), 1, &inner))
    }

    fn url(signed: &String) -> String {
        signed.clone()
    }
}

/// Goes on from `state`, which has taken `blocks` blocks, to the end of `text`.
fn hash(mut state: [u32; 8], blocks: usize, text: &[u8]) -> [u8; 32] {
    let (whole, rest) = text.as_chunks::<64>();
    compress256(&mut state, whole);
    let mut tail = [[0_u8; 64]; 2];
    tail[0][..rest.len()].copy_from_slice(rest);
    tail[0][rest.len()] = 0x80;
    let last = usize::from(rest.len() >= 56);
    let bits = (blocks * 64 + text.len()) as u64 * 8;
    tail[last][56..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, &tail[..=last]);
    let mut out = [0_u8; 32];
    for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    out
}

fn push_digest(text: &mut [u8], digest: &[u8; 32]) {
    let at = text.len() - 64;
    const_hex::encode_to_slice(digest, &mut text[at..]).expect("64 bytes for 32");
}

fn finish(unsigned: &str, signature: &[u8; 32]) -> String {
    let mut url = String::with_capacity(unsigned.len() + 64);
    url.push_str(black_box(unsigned));
    url.push_str(const_hex::Buffer::<32>::new().format(signature));
    url
}
