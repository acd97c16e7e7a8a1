//! Digests of a body while it streams, and their comparison with what the request promised.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use crate::StoreError;

/// A checksum that a request can promise and an object can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    /// CRC-32 (ISO-HDLC), 4 bytes.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name as the cloud writes it, for example `CRC64NVME`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of that name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// How many bytes a value has.
    fn len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The checksum of `bytes`, in base64.
    #[cfg(test)]
    pub(crate) fn of(self, bytes: &[u8]) -> String {
        let mut engine = Engine::new(self);
        engine.update(bytes);
        STANDARD.encode(engine.finish())
    }

    /// The value of `text`, if it is the base64 of as many bytes as this algorithm has.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        STANDARD.decode(text).ok().filter(|bytes| bytes.len() == self.len())
    }

    /// The checksum of two bodies written one after the other, from the checksums of each; only a CRC can do that.
    pub(crate) fn combine(self, first: &str, second: &str, second_len: u64) -> Option<String> {
        let crc = self.crc()?;
        let (first, second) = (big_endian(&self.decode(first)?), big_endian(&self.decode(second)?));
        let combined = crc_fast::checksum_combine(crc, first, second, second_len).to_be_bytes();
        Some(STANDARD.encode(combined.get(8_usize.saturating_sub(self.len())..)?))
    }
}

/// What a request promises about its body. A body that does not keep every promise is refused and leaves nothing behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promises {
    length: Option<u64>,
    md5: Option<[u8; 16]>,
    payload_sha256: Option<[u8; 32]>,
    crc64_ecma: Option<u64>,
    checksums: Vec<(Algorithm, Vec<u8>)>,
    compute: Vec<Algorithm>,
}

impl Promises {
    /// No promise.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The body has exactly `length` bytes.
    pub(crate) fn length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// The promised length.
    pub(crate) fn promised_length(&self) -> Option<u64> {
        self.length
    }

    /// Whether a digest of the body is promised that its writer gave for itself, apart from the signature.
    pub(crate) fn has_digest(&self) -> bool {
        self.md5.is_some() || !self.checksums.is_empty()
    }

    /// The body has this MD5, as the header `Content-MD5` writes it.
    pub(crate) fn content_md5(mut self, value: &str) -> Result<Self, StoreError> {
        let bytes = STANDARD.decode(value).ok().and_then(|bytes| bytes.try_into().ok());
        self.md5 = Some(bytes.ok_or_else(|| StoreError::InvalidDigest { value: value.chars().take(100).collect() })?);
        Ok(self)
    }

    /// The body has this checksum, in base64.
    pub(crate) fn checksum(mut self, algorithm: Algorithm, value: &str) -> Result<Self, StoreError> {
        let bytes = algorithm.decode(value).ok_or(StoreError::InvalidChecksum { algorithm: algorithm.name() })?;
        self.checksums.push((algorithm, bytes));
        Ok(self)
    }

    /// Computes and keeps a checksum that was not promised.
    pub(crate) fn compute(mut self, algorithm: Algorithm) -> Self {
        self.compute.push(algorithm);
        self
    }

    /// The signature covers this SHA-256 of the body.
    pub(crate) fn payload_sha256(mut self, value: [u8; 32]) -> Self {
        self.payload_sha256 = Some(value);
        self
    }

    /// The body has this CRC-64/XZ, as the header `x-oss-hash-crc64ecma` writes it.
    pub(crate) fn crc64_ecma(mut self, value: &str) -> Result<Self, StoreError> {
        let number = value.bytes().all(|b| b.is_ascii_digit()).then(|| value.parse().ok()).flatten();
        self.crc64_ecma = Some(number.ok_or_else(|| StoreError::InvalidArgument {
            name: "x-oss-hash-crc64ecma",
            value: value.chars().take(100).collect(),
            reason: "must be a decimal number of 64 bits",
        })?);
        Ok(self)
    }
}

/// The digests of a body that kept all its promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digests {
    /// How many bytes it has.
    pub(crate) size: u64,
    /// Its MD5.
    pub(crate) md5: [u8; 16],
    /// Its CRC-64/XZ, the one of `x-oss-hash-crc64ecma`.
    pub(crate) crc64_ecma: u64,
    /// The checksums that were promised or asked for, in base64.
    pub(crate) checksums: Vec<(Algorithm, String)>,
}

/// Computes the digests of a body chunk by chunk.
pub(crate) struct Hasher {
    promises: Promises,
    size: u64,
    md5: Md5,
    crc64_ecma: crc_fast::Digest,
    payload_sha256: Option<Sha256>,
    engines: Vec<(Algorithm, Engine)>,
}

impl Hasher {
    /// A hasher of what `promises` need, and of MD5 and CRC-64, which every object has.
    pub(crate) fn new(promises: Promises) -> Self {
        let mut wanted: Vec<Algorithm> = promises.checksums.iter().map(|(algorithm, _)| *algorithm).chain(promises.compute.iter().copied()).collect();
        wanted.sort();
        wanted.dedup();
        Self {
            size: 0,
            md5: Md5::new(),
            crc64_ecma: crc_fast::Digest::new(CrcAlgorithm::Crc64Xz),
            payload_sha256: promises.payload_sha256.map(|_| Sha256::new()),
            engines: wanted.into_iter().map(|algorithm| (algorithm, Engine::new(algorithm))).collect(),
            promises,
        }
    }

    /// Promises a checksum that is computed already.
    pub(crate) fn promise(&mut self, algorithm: Algorithm, value: Vec<u8>) {
        self.promises.checksums.push((algorithm, value));
    }

    /// How many bytes came so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes; refuses those that are beyond the promised length.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if let Some(promised) = self.promises.length.filter(|promised| self.size > *promised) {
            return Err(StoreError::IncompleteBody { promised, received: self.size });
        }
        self.md5.update(bytes);
        self.crc64_ecma.update(bytes);
        if let Some(sha256) = &mut self.payload_sha256 {
            sha256.update(bytes);
        }
        for (_, engine) in &mut self.engines {
            engine.update(bytes);
        }
        Ok(())
    }

    /// The digests, if every promise is kept.
    pub(crate) fn finish(self) -> Result<Digests, StoreError> {
        if let Some(promised) = self.promises.length.filter(|promised| self.size != *promised) {
            return Err(StoreError::IncompleteBody { promised, received: self.size });
        }
        if self.payload_sha256.map(|sha256| <[u8; 32]>::from(sha256.finalize())) != self.promises.payload_sha256 {
            return Err(StoreError::PayloadDigestMismatch);
        }
        let md5 = <[u8; 16]>::from(self.md5.finalize());
        if let Some(promised) = self.promises.md5.filter(|promised| *promised != md5) {
            return Err(StoreError::BadDigest { digest: "Content-MD5", promised: STANDARD.encode(promised), computed: STANDARD.encode(md5) });
        }
        let crc64_ecma = self.crc64_ecma.finalize();
        if let Some(promised) = self.promises.crc64_ecma.filter(|promised| *promised != crc64_ecma) {
            let digest = "x-oss-hash-crc64ecma";
            return Err(StoreError::BadDigest { digest, promised: promised.to_string(), computed: crc64_ecma.to_string() });
        }
        let values: Vec<(Algorithm, Vec<u8>)> = self.engines.into_iter().map(|(algorithm, engine)| (algorithm, engine.finish())).collect();
        for (algorithm, promised) in &self.promises.checksums {
            if !values.iter().any(|(computed, value)| computed == algorithm && value == promised) {
                let computed = values.iter().find(|(other, _)| other == algorithm).map(|(_, value)| STANDARD.encode(value));
                let computed = computed.unwrap_or_default();
                return Err(StoreError::BadDigest { digest: algorithm.name(), promised: STANDARD.encode(promised), computed });
            }
        }
        let checksums = values.into_iter().map(|(algorithm, value)| (algorithm, STANDARD.encode(value))).collect();
        Ok(Digests { size: self.size, md5, crc64_ecma, checksums })
    }
}

/// The CRC-64/XZ of two bodies written one after the other.
pub(crate) fn combine_crc64_ecma(first: u64, second: u64, second_len: u64) -> u64 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc64Xz, first, second, second_len)
}

/// The checksum of a multipart object from those of its parts, as S3 makes a composite one: the digest of the digests, then `-N`.
pub(crate) fn composite(algorithm: Algorithm, parts: &[&str]) -> Option<String> {
    let mut engine = Engine::new(algorithm);
    for part in parts {
        engine.update(&algorithm.decode(part)?);
    }
    Some(format!("{}-{}", STANDARD.encode(engine.finish()), parts.len()))
}

/// The ETag of a multipart object: the MD5 of its parts' MD5s, then `-N`.
pub(crate) fn multipart_etag(parts: &[[u8; 16]]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

enum Engine {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Engine {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(algorithm, crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(bytes),
            Self::Sha1(sha1) => sha1.update(bytes),
            Self::Sha256(sha256) => sha256.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(algorithm, crc) => {
                let bytes = crc.finalize().to_be_bytes();
                bytes.into_iter().skip(8_usize.saturating_sub(algorithm.len())).collect()
            }
            Self::Sha1(sha1) => sha1.finalize().to_vec(),
            Self::Sha256(sha256) => sha256.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests;
