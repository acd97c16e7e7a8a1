//! What no signer can leave out, with everything else prepared.
//!
//! Of a URL: SHA-256 of the canonical request, HMAC-SHA-256 of the string to sign from the kept key state, hex of both, one copy of the URL. Of a form: base64
//! of the policy's JSON, HMAC-SHA-256 of that text, its hex, both in one buffer; no other field.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::check::{Habits, Proof, Stages, Texts};
use crate::columns::{Column, Kind, Run, Signer};

/// Both floors of what was signed.
pub fn all(stages: &Stages) -> Result<[Column; 2], String> {
    let column = |name, kind, signer| Column { name, kind, habits: Habits::default(), signer };
    let floors = [
        column("floor: `block_api`", Kind::FloorBlocks, signer::<Blocks>(stages)),
        column("floor: public API", Kind::FloorPublic, signer::<PublicApi>(stages)),
    ];
    for floor in &floors {
        if floor.signer.proof(0) != Proof::Floor(stages.floor_result()) {
            return Err(format!("{} gives another result", floor.name));
        }
    }
    Ok(floors)
}

fn signer<H: Hash + 'static>(stages: &Stages) -> Box<dyn Run> {
    let hash = H::new(&stages.signing_key);
    match &stages.texts {
        Texts::Url { canonical_request, string_to_sign, unsigned_url } => Box::new(UrlFloor {
            hash,
            canonical_request: canonical_request.clone(),
            string_to_sign: string_to_sign.clone().into_bytes(),
            url: unsigned_url.clone(),
        }),
        Texts::Form { json, .. } => Box::new(FormFloor { hash, json: json.clone() }),
    }
}

struct UrlFloor<H> {
    hash: H,
    canonical_request: String,
    string_to_sign: Vec<u8>,
    url: String,
}

impl<H: Hash> Signer for UrlFloor<H> {
    type Signed = String;

    fn sign(&self, _index: usize) -> String {
        let digest = H::digest(black_box(self.canonical_request.as_bytes()));
        let mut text = [0_u8; 192];
        let text = &mut text[..self.string_to_sign.len()];
        text.copy_from_slice(&self.string_to_sign);
        let at = text.len() - 64;
        const_hex::encode_to_slice(digest, &mut text[at..]).expect("64 bytes for 32");
        let signature = black_box(&self.hash).mac(text);
        let mut url = String::with_capacity(self.url.len() + 64);
        url.push_str(black_box(&self.url));
        url.push_str(const_hex::Buffer::<32>::new().format(&signature));
        url
    }

    fn proof(signed: &String) -> Proof {
        Proof::Floor(signed.clone())
    }
}

struct FormFloor<H> {
    hash: H,
    json: String,
}

impl<H: Hash> Signer for FormFloor<H> {
    type Signed = Vec<u8>;

    fn sign(&self, _index: usize) -> Vec<u8> {
        let json = black_box(self.json.as_bytes());
        let mut out = vec![0_u8; json.len().div_ceil(3) * 4 + 64];
        let (policy, signature) = out.split_at_mut(json.len().div_ceil(3) * 4);
        BASE64.encode_slice(json, policy).expect("four bytes for three");
        const_hex::encode_to_slice(black_box(&self.hash).mac(policy), signature).expect("64 bytes for 32");
        out
    }

    fn proof(signed: &Vec<u8>) -> Proof {
        Proof::Floor(String::from_utf8_lossy(signed).into_owned())
    }
}

/// SHA-256, and HMAC from a kept key state.
trait Hash {
    fn new(key: &[u8; 32]) -> Self;
    fn digest(text: &[u8]) -> [u8; 32];
    fn mac(&self, text: &[u8]) -> [u8; 32];
}

/// By the public interface of `sha2` and `hmac`.
struct PublicApi(Hmac<Sha256>);

impl Hash for PublicApi {
    fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes every key"))
    }

    fn digest(text: &[u8]) -> [u8; 32] {
        Sha256::digest(text).into()
    }

    fn mac(&self, text: &[u8]) -> [u8; 32] {
        let mut state = self.0.clone();
        state.update(text);
        state.finalize().into_bytes().into()
    }
}

/// By the compression function alone, padding written here: the interface that valetkey signs through.
struct Blocks {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

impl Hash for Blocks {
    fn new(key: &[u8; 32]) -> Self {
        let state = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    fn digest(text: &[u8]) -> [u8; 32] {
        hash(INITIAL, 0, text)
    }

    fn mac(&self, text: &[u8]) -> [u8; 32] {
        hash(self.outer, 1, &hash(self.inner, 1, text))
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
