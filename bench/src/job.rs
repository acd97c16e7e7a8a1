//! What is signed: the same object, life and credentials for every column.

use std::ops::RangeInclusive;
use std::time::Duration;

pub const BUCKET: &str = "media-prod";
pub const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const LIFE: Duration = Duration::from_secs(900);
pub const CONTENT_TYPE: &str = "image/jpeg";
pub const CONTENT_LENGTH: u64 = 52_113;
pub const CONTENT_LENGTH_TEXT: &str = "52113";
pub const PREFIX: &str = "uploads/2026/11/";
pub const CONTENT_LENGTHS: RangeInclusive<u64> = 1..=5 << 20;
pub const METADATA: (&str, &str) = ("owner", "user-4711");

/// How many keys are signed in turn.
pub const KEYS: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    S3,
    Oss,
}

impl Provider {
    pub const ALL: [Self; 2] = [Self::S3, Self::Oss];

    pub const fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Oss => "OSS",
        }
    }

    pub const fn region(self) -> &'static str {
        match self {
            Self::S3 => "us-west-2",
            Self::Oss => "cn-hangzhou",
        }
    }

    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::S3 => "https://s3.us-west-2.amazonaws.com",
            Self::Oss => "https://oss-cn-hangzhou.aliyuncs.com",
        }
    }

    pub const fn host(self) -> &'static str {
        match self {
            Self::S3 => "media-prod.s3.us-west-2.amazonaws.com",
            Self::Oss => "media-prod.oss-cn-hangzhou.aliyuncs.com",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A URL that uploads one object. `headers`: content type and content length are signed.
    Put { headers: bool },
    /// A form that uploads objects under [`PREFIX`].
    Post,
}

impl Task {
    pub const fn method(self) -> &'static str {
        match self {
            Self::Put { .. } => "PUT",
            Self::Post => "POST",
        }
    }

    /// What is handed out.
    pub const fn results(self) -> &'static str {
        match self {
            Self::Put { .. } => "URLs",
            Self::Post => "Forms",
        }
    }

    pub const fn signs_headers(self) -> bool {
        matches!(self, Self::Put { headers: true })
    }
}

#[derive(Debug, Clone)]
pub struct Job {
    pub letter: char,
    pub name: &'static str,
    pub task: Task,
    pub token: Option<String>,
    pub keys: Vec<String>,
}

impl Job {
    pub fn all() -> Vec<Self> {
        let mut random = Random::new();
        let keys: Vec<String> = (0..KEYS).map(|_| format!("{PREFIX}{:016x}{:016x}.jpg", random.next(), random.next())).collect();
        // Session tokens are base64, so some of it must be percent-encoded.
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut token: String = (0..698).map(|_| char::from(alphabet[random.below(alphabet.len())])).collect();
        token.push_str("==");
        let job = |letter, name, task, token| Self { letter, name, task, token, keys: keys.clone() };
        let (bare, headers) = (Task::Put { headers: false }, Task::Put { headers: true });
        vec![
            job('a', "host only", bare, None),
            job('b', "content type and content length signed", headers, None),
            job('c', "host only, session token of 700 characters", bare, Some(token.clone())),
            job('p', "key prefix, size, content type, metadata", Task::Post, None),
            job('q', "key prefix, size, content type, metadata, session token of 700 characters", Task::Post, Some(token)),
        ]
    }

    pub fn key(&self, index: usize) -> &str {
        &self.keys[index % KEYS]
    }
}

/// xorshift64*, always from the same seed.
pub struct Random(u64);

impl Random {
    pub const fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub const fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
